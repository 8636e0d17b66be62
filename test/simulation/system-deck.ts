import type { Prng } from '@symmetra/testing';

/** Draws cards until none is left, and shuffles them anew: what is rare comes as well, sooner or later. */
export class Deck<Card> {
  readonly #cards: readonly Card[];
  readonly #prng: Prng;
  #left: Card[] = [];

  constructor(cards: readonly Card[], prng: Prng) {
    this.#cards = cards;
    this.#prng = prng;
  }

  draw(): Card {
    if (this.#left.length === 0) this.#left = [...this.#cards];
    const [card] = this.#left.splice(this.#prng.below(this.#left.length), 1);
    return card as Card;
  }
}
