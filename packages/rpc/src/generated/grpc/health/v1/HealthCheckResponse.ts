// Original file: proto/grpc/health/v1/health.proto


// Original file: proto/grpc/health/v1/health.proto

/**
 * What a health check can say.
 */
export const _grpc_health_v1_HealthCheckResponse_ServingStatus = {
  /**
   * Never sent.
   * buf:lint:ignore ENUM_VALUE_PREFIX
   * buf:lint:ignore ENUM_ZERO_VALUE_SUFFIX
   */
  UNKNOWN: 'UNKNOWN',
  /**
   * Calls are answered.
   * buf:lint:ignore ENUM_VALUE_PREFIX
   */
  SERVING: 'SERVING',
  /**
   * Calls are refused: the server starts or stops.
   * buf:lint:ignore ENUM_VALUE_PREFIX
   */
  NOT_SERVING: 'NOT_SERVING',
  /**
   * Only in a Watch: the server has no such service.
   * buf:lint:ignore ENUM_VALUE_PREFIX
   */
  SERVICE_UNKNOWN: 'SERVICE_UNKNOWN',
} as const;

/**
 * What a health check can say.
 */
export type _grpc_health_v1_HealthCheckResponse_ServingStatus =
  /**
   * Never sent.
   * buf:lint:ignore ENUM_VALUE_PREFIX
   * buf:lint:ignore ENUM_ZERO_VALUE_SUFFIX
   */
  | 'UNKNOWN'
  | 0
  /**
   * Calls are answered.
   * buf:lint:ignore ENUM_VALUE_PREFIX
   */
  | 'SERVING'
  | 1
  /**
   * Calls are refused: the server starts or stops.
   * buf:lint:ignore ENUM_VALUE_PREFIX
   */
  | 'NOT_SERVING'
  | 2
  /**
   * Only in a Watch: the server has no such service.
   * buf:lint:ignore ENUM_VALUE_PREFIX
   */
  | 'SERVICE_UNKNOWN'
  | 3

/**
 * What a health check can say.
 */
export type _grpc_health_v1_HealthCheckResponse_ServingStatus__Output = typeof _grpc_health_v1_HealthCheckResponse_ServingStatus[keyof typeof _grpc_health_v1_HealthCheckResponse_ServingStatus]

export interface HealthCheckResponse {
  /**
   * The state of the service.
   */
  'status'?: (_grpc_health_v1_HealthCheckResponse_ServingStatus);
}

export interface HealthCheckResponse__Output {
  /**
   * The state of the service.
   */
  'status': (_grpc_health_v1_HealthCheckResponse_ServingStatus__Output);
}
