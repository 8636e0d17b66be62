import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { loadProtos } from './loader.js';
import { servedMethods } from './served.js';

/** A service with its handlers, not yet registered. */
export interface ImplementedService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

/** The reflection services over all services that a node offers. */
export function reflectionServices(): ImplementedService[] {
  const services: ImplementedService[] = [];
  const offered = new Set(servedMethods().map(({ service }) => service));
  new ReflectionService(loadProtos(), { services: [...offered] }).addToServer({
    addService: (definition, implementation) => services.push({ definition, implementation }),
  });
  return services;
}
