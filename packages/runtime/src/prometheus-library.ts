/** In a module of its own, which is loaded where metrics are served: most commands serve none. */
export { Counter, Gauge, Registry } from 'prom-client';
