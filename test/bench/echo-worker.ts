import { Server, ServerCredentials } from '@grpc/grpc-js';
import { ECHO_SERVICE } from './echo-service.js';
import { serve } from './worker.js';

const server = new Server();
server.addService(ECHO_SERVICE, {
  unary: (call: { request: Buffer }, done: (error: null, reply: Buffer) => void) => done(null, call.request),
  stream: (call: NodeJS.ReadWriteStream) => {
    call.on('data', (message: Buffer) => call.write(message));
    call.on('end', () => call.end());
  },
});

serve(
  () =>
    new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    }),
);
