import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { loadProtos } from './loader.js';

/** A service with its handlers, not yet registered. */
export interface ImplementedService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

/** The reflection services over all protos of this package. */
export function reflectionServices(): ImplementedService[] {
  const services: ImplementedService[] = [];
  new ReflectionService(loadProtos()).addToServer({
    addService: (definition, implementation) => services.push({ definition, implementation }),
  });
  return services;
}
