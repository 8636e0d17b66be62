import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from './worker.js';

const PACKAGES = ['ts-mls@1.6.4', '@noble/hashes@2.0.1'];
const SIZES = [10, 100, 1000];
const INSTALL_LIMIT_MS = 120_000;

/** What a group costs with ts-mls, X25519 and Ed25519, no node in between. */
export interface MlsResult {
  /** One commit that adds everybody, and one member that joins by its welcome. */
  readonly createMs: number;
  readonly createDealerBytes: number;
  /** One commit that removes a member, and another member that takes it. */
  readonly removeMs: number;
  readonly removeBytes: number;
  readonly memberCpuMs: number;
}

/** Measures ts-mls beside, when the registry gives it: installed into a folder of its own, and removed again. */
export async function benchMls(): Promise<Readonly<Record<string, MlsResult>>> {
  const folder = mkdtempSync(join(tmpdir(), 'symmetra-bench-mls-'));
  try {
    const npm = ['install', '--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', ...PACKAGES];
    await promisify(execFile)('npm', npm, { cwd: folder, timeout: INSTALL_LIMIT_MS });
    const results: Record<string, MlsResult> = {};
    for (const members of SIZES) {
      const worker = new Worker('./mls-worker.ts');
      try {
        results[members] = await worker.ask<MlsResult>({ folder, members });
      } finally {
        await worker.end();
      }
    }
    return results;
  } catch (error) {
    console.log(`  ts-mls is not measured: ${String(error).split('\n')[0] ?? ''}`);
    return {};
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
