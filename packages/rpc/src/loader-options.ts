/**
 * How protobuf messages look in TypeScript. The loader at run time and the generator of
 * `src/generated` both read this one constant, so that types and values agree: camelCase fields,
 * 64-bit integers as numbers (milliseconds and counters stay below 2^53), enums by name, absent
 * fields filled with their defaults, and one virtual field per oneof.
 */
export const loaderOptions = {
  keepCase: false,
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
} as const;
