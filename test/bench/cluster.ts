import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster } from '@symmetra/testing';

/** Three nodes, each a process of its own with LMDB, over NATS. */
export class BenchCluster {
  readonly folder: string;
  readonly nodesPerProcess = 1;
  readonly #cluster: Cluster;

  private constructor(folder: string, cluster: Cluster) {
    this.folder = folder;
    this.#cluster = cluster;
  }

  /** @param environment of the nodes */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<BenchCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'symmetra-bench-'));
    return new BenchCluster(folder, await Cluster.start({ dir: join(folder, 'cluster'), environment }));
  }

  get pids(): readonly number[] {
    return this.#cluster.nodeIds.map((id) => this.#cluster.node(id).pid);
  }

  get natsPid(): number {
    return this.#cluster.nats.pid;
  }

  async token(): Promise<string> {
    return this.#cluster.token();
  }

  async end(): Promise<void> {
    await this.#cluster.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
