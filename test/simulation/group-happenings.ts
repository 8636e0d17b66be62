import type { Prng } from '@symmetra/testing';
import type { Happening, Wish } from './group-plan.js';
import type { GroupWorld } from './group-world.js';

/** What happens to a group from outside: what users want, who is revoked, what fails. */
export class GroupHappenings {
  readonly #world: GroupWorld;
  readonly #prng: Prng;
  readonly #members: () => readonly string[];

  /** @param members who is in the newest epoch, by place. */
  constructor(world: GroupWorld, members: () => readonly string[]) {
    this.#world = world;
    this.#prng = world.simulation.prng;
    this.#members = members;
  }

  schedule(happenings: readonly Happening[]): void {
    for (const happening of happenings) {
      this.#world.simulation.after(happening.at, () => this.#happen(happening));
    }
  }

  #happen(happening: Happening): void {
    switch (happening.kind) {
      case 'nodes apart':
      case 'device apart':
      case 'node down':
        this.#mishap(happening.kind, happening.ticks);
        break;
      default:
        this.#ask(happening.kind);
    }
  }

  #mishap(kind: 'nodes apart' | 'device apart' | 'node down', ticks: number): void {
    const { simulation, plan } = this.#world;
    this.#world.note(`happens:${kind}`);
    if (kind === 'node down') {
      const node = this.#prng.pick(plan.nodes);
      simulation.process(node).stop();
      simulation.after(ticks, () => simulation.restart(node));
    } else if (kind === 'device apart') {
      this.#world.separate([this.#prng.pick(plan.devices)], ticks);
    } else {
      const devices = plan.devices.filter(() => this.#prng.chance(0.5));
      this.#world.separate([this.#prng.pick(plan.nodes), ...devices], ticks);
    }
  }

  #ask(kind: 'add' | 'remove' | 'rotate' | 'leave' | 'revoke' | 'stranger deals' | 'two dealers'): void {
    const members = this.#members();
    if (members.length === 0) return;
    const managers = this.#managers(members);
    const manager = this.#prng.pick(managers);
    const victim = this.#prng.pick(members);
    this.#world.note(`happens:${kind}`);
    if (kind === 'leave') this.#world.left.add(victim);
    else if (kind === 'revoke') this.#world.revoke(victim);
    else if (kind === 'stranger deals') this.#wish(members.at(-1) ?? manager, [], []);
    else if (kind === 'rotate') this.#wish(manager, [], []);
    else if (kind === 'remove') this.#wish(manager, [], [victim]);
    else if (kind === 'add') this.#wish(manager, this.#strangers(members), []);
    else {
      for (const dealer of managers) this.#wish(dealer, this.#strangers(members), []);
    }
  }

  #wish(device: string, added: readonly string[], removed: readonly string[]): void {
    const wish: Wish = { kind: 'change', added, removed: removed.filter((name) => name !== device) };
    this.#world.wish(device, wish);
  }

  #managers(members: readonly string[]): readonly string[] {
    const { devices, managers } = this.#world.plan;
    const serving = devices.slice(0, managers).filter((device) => members.includes(device));
    return serving.length > 0 ? serving : members.slice(0, 1);
  }

  /** Some devices that could be added. */
  #strangers(members: readonly string[]): readonly string[] {
    const { plan, revoked, left } = this.#world;
    return plan.devices
      .filter((device) => !members.includes(device) && !revoked.has(device) && !left.has(device))
      .filter(() => this.#prng.chance(0.6));
  }
}
