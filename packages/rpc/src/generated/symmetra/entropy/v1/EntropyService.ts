// Original file: proto/symmetra/entropy/v1/entropy.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { StreamNoiseRequest as _symmetra_entropy_v1_StreamNoiseRequest, StreamNoiseRequest__Output as _symmetra_entropy_v1_StreamNoiseRequest__Output } from '../../../symmetra/entropy/v1/StreamNoiseRequest.js';
import type { StreamNoiseResponse as _symmetra_entropy_v1_StreamNoiseResponse, StreamNoiseResponse__Output as _symmetra_entropy_v1_StreamNoiseResponse__Output } from '../../../symmetra/entropy/v1/StreamNoiseResponse.js';

/**
 * Noise of one or several sources.
 */
export interface EntropyServiceClient extends grpc.Client {
  /**
   * Streams the samples of one source, first its description, then blocks in the order in which they were measured.
   * Each sample goes to one stream only. The caller paces the stream by its flow control, and ends it.
   */
  StreamNoise(argument: _symmetra_entropy_v1_StreamNoiseRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_symmetra_entropy_v1_StreamNoiseResponse__Output>;
  StreamNoise(argument: _symmetra_entropy_v1_StreamNoiseRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_symmetra_entropy_v1_StreamNoiseResponse__Output>;
  /**
   * Streams the samples of one source, first its description, then blocks in the order in which they were measured.
   * Each sample goes to one stream only. The caller paces the stream by its flow control, and ends it.
   */
  streamNoise(argument: _symmetra_entropy_v1_StreamNoiseRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_symmetra_entropy_v1_StreamNoiseResponse__Output>;
  streamNoise(argument: _symmetra_entropy_v1_StreamNoiseRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_symmetra_entropy_v1_StreamNoiseResponse__Output>;
  
}

/**
 * Noise of one or several sources.
 */
export interface EntropyServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Streams the samples of one source, first its description, then blocks in the order in which they were measured.
   * Each sample goes to one stream only. The caller paces the stream by its flow control, and ends it.
   */
  StreamNoise: grpc.handleServerStreamingCall<_symmetra_entropy_v1_StreamNoiseRequest__Output, _symmetra_entropy_v1_StreamNoiseResponse>;
  
}

export interface EntropyServiceDefinition extends grpc.ServiceDefinition {
  StreamNoise: MethodDefinition<_symmetra_entropy_v1_StreamNoiseRequest, _symmetra_entropy_v1_StreamNoiseResponse, _symmetra_entropy_v1_StreamNoiseRequest__Output, _symmetra_entropy_v1_StreamNoiseResponse__Output>
}
