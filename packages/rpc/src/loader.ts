import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import type { MessageTypeDefinition, PackageDefinition, ServiceDefinition } from '@grpc/proto-loader';
import type { FileDescriptorProto__Output } from './generated/google/protobuf/FileDescriptorProto.js';
import { loaderOptions } from './loader-options.js';

/** `src/` and `dist/` stand at the same depth, so that the one path serves both. */
const PROTO_FOLDER = fileURLToPath(new URL('../../../proto/', import.meta.url));

const PLAINTEXT_OPTION = '(symmetra.sealed.v1.plaintext)';

/** The protobuf types inside a sealed or signed message. */
export interface PlaintextNames {
  readonly request: string;
  readonly reply: string;
}

/** One RPC, as its proto file declares it. */
export interface MethodDescriptor {
  /** Full name, for example /symmetra.link.v1.LinkService/Connect. */
  readonly method: string;
  /** Full name of the service. */
  readonly service: string;
  /** Full name of the request message. */
  readonly requestType: string;
  /** Full name of the reply message. */
  readonly replyType: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  /** What the method option `plaintext` names, where the method carries it. */
  readonly plaintext: PlaintextNames | undefined;
}

let loaded: PackageDefinition | undefined;

/** Every definition under proto/, by full name; parsed once per process. */
export function loadProtos(): PackageDefinition {
  if (loaded === undefined) {
    const files = readdirSync(PROTO_FOLDER, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.proto'))
      .toSorted();
    loaded = loadSync(files, { ...loaderOptions, includeDirs: [PROTO_FOLDER] });
  }
  return loaded;
}

/** The definition of one message type, or undefined when no proto file declares it. */
export function messageDefinition(typeName: string): MessageTypeDefinition<object, object> | undefined {
  const definitions = loadProtos();
  if (!Object.hasOwn(definitions, typeName)) return undefined;
  const definition = definitions[typeName];
  if (definition === undefined || !('format' in definition) || !('serialize' in definition)) return undefined;
  return definition as MessageTypeDefinition<object, object>;
}

/** Every RPC that the proto files declare. */
export function methodDescriptors(): MethodDescriptor[] {
  const descriptors: MethodDescriptor[] = [];
  for (const file of declaredFiles()) {
    for (const service of file.service) {
      const serviceName = `${file.package}.${service.name}`;
      for (const method of service.method) {
        descriptors.push({
          method: `/${serviceName}/${method.name}`,
          service: serviceName,
          requestType: method.inputType.slice(1),
          replyType: method.outputType.slice(1),
          requestStream: method.clientStreaming,
          responseStream: method.serverStreaming,
          plaintext: plaintextOption(serviceName, method.name),
        });
      }
    }
  }
  return descriptors;
}

function plaintextOption(service: string, method: string): PlaintextNames | undefined {
  const definition = loadProtos()[service] as ServiceDefinition;
  return definition[method]?.options[PLAINTEXT_OPTION] as PlaintextNames | undefined;
}

/**
 * The descriptors of all files, one per package. They know full type names, which the loader's own
 * method definitions do not. The proto files import descriptor.proto for the option, so that the
 * type that reads them is always there.
 */
function declaredFiles(): FileDescriptorProto__Output[] {
  const reader = messageDefinition('google.protobuf.FileDescriptorProto');
  const anyMessage = messageDefinition('symmetra.sealed.v1.Sealed');
  if (reader === undefined || anyMessage === undefined) throw new Error('proto/ lacks sealed.proto');
  return anyMessage.fileDescriptorProtos.map(
    (bytes) => reader.deserialize(bytes) as FileDescriptorProto__Output,
  );
}
