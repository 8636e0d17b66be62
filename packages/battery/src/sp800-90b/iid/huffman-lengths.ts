/** The longest code that bzip2's compressor makes. */
const longestCode = 17;
/** A weight is a frequency times 256 plus the height of the subtree, which decides ties. */
const heightBits = 8;

/**
 * The code lengths that bzip2 gives symbols of these frequencies (a symbol that never occurs counts
 * as one): Huffman's, by a binary heap whose order of equal weights is the program's, made flatter
 * until none is longer than 17.
 */
export function huffmanLengths(frequencies: Int32Array): Uint8Array {
  let weights = Float64Array.from(frequencies, (frequency) => Math.max(frequency, 1));
  for (;;) {
    const lengths = lengthsOf(weights);
    if (lengths.every((length) => length <= longestCode)) return lengths;
    weights = weights.map((weight) => 1 + Math.floor(weight / 2));
  }
}

function lengthsOf(leaves: Float64Array): Uint8Array {
  const symbols = leaves.length;
  const nodes = 2 * symbols - 1;
  const weights = new Float64Array(nodes);
  const parents = new Int32Array(nodes).fill(-1);
  const heap = new WeightHeap(weights);
  for (let symbol = 0; symbol < symbols; symbol++) {
    weights[symbol] = leaves[symbol]! * 2 ** heightBits;
    heap.push(symbol);
  }
  for (let node = symbols; node < nodes; node++) {
    const a = heap.pop();
    const b = heap.pop();
    parents[a] = node;
    parents[b] = node;
    weights[node] = joined(weights[a]!, weights[b]!);
    heap.push(node);
  }
  return Uint8Array.from({ length: symbols }, (_, symbol) => {
    let length = 0;
    for (let node = symbol; parents[node]! >= 0; node = parents[node]!) length++;
    return length;
  });
}

function joined(a: number, b: number): number {
  const unit = 2 ** heightBits;
  const heights = [a % unit, b % unit] as const;
  return a - heights[0] + b - heights[1] + 1 + Math.max(...heights);
}

/** Nodes, the lightest on top; a node moves up only past heavier ones, and down past equal ones. */
class WeightHeap {
  private readonly nodes: number[] = [];
  private readonly weights: Float64Array;

  constructor(weights: Float64Array) {
    this.weights = weights;
  }

  push(node: number): void {
    const { nodes, weights } = this;
    let at = nodes.length;
    while (at > 0) {
      const above = (at - 1) >>> 1;
      if (weights[node]! >= weights[nodes[above]!]!) break;
      nodes[at] = nodes[above]!;
      at = above;
    }
    nodes[at] = node;
  }

  pop(): number {
    const { nodes, weights } = this;
    const top = nodes[0]!;
    const node = nodes.pop()!;
    if (nodes.length === 0) return top;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= nodes.length) break;
      if (below + 1 < nodes.length && weights[nodes[below + 1]!]! < weights[nodes[below]!]!) below++;
      if (weights[node]! < weights[nodes[below]!]!) break;
      nodes[at] = nodes[below]!;
      at = below;
    }
    nodes[at] = node;
    return top;
  }
}
