// The worker thread of the heavy batteries; BatteryThread starts it.
import { parentPort } from 'node:worker_threads';
import { serveBatteries } from '../dist/audit/battery-worker.js';

if (parentPort !== null) serveBatteries(parentPort);
