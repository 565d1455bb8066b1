// The pool of runs behind the exact window: blocks of 16 runs (time, how many), chained, all laid out at the start.

const size = 16

export interface RunPool {
  /** Microseconds, by run. */
  readonly times: Float64Array
  readonly amounts: Uint32Array
  /** The first run of a fresh block; 0 where there is none. */
  block(): number
  /** The run after this one in the same block, or 0 at its end. */
  follows(run: number): number
  /** Chains a block behind the one that ends here, and answers its first run; 0 stays 0. */
  extend(run: number, block: number): number
  /** The run after this one in its chain. */
  next(run: number): number
  /** The same, and the block that is left behind is free again. */
  after(run: number): number
  /** Frees a chain. */
  release(head: number, tail: number): void
}

/** @param records how many runs it holds at least. Block 0 is nobody's, so that 0 can say "none". */
export function runPool(records: number): RunPool {
  const blocks = Math.max(2, Math.ceil(records / size)) + 1
  const times = new Float64Array(blocks * size)
  const amounts = new Uint32Array(blocks * size)
  const chain = new Uint32Array(blocks)
  let fresh = 1
  let free = 0

  function give(block: number): void {
    chain[block] = free
    free = block
  }

  function next(run: number): number {
    return (run + 1) % size === 0 ? chain[Math.floor(run / size)]! * size : run + 1
  }

  return {
    times,
    amounts,
    block() {
      if (free > 0) {
        const block = free
        free = chain[block]!
        return block * size
      }
      return fresh < blocks ? fresh++ * size : 0
    },
    follows: (run) => ((run + 1) % size === 0 ? 0 : run + 1),
    extend(run, block) {
      if (block > 0) chain[Math.floor(run / size)] = block / size
      return block
    },
    next,
    after(run) {
      const following = next(run)
      if ((run + 1) % size === 0) give(Math.floor(run / size))
      return following
    },
    release(head, tail) {
      const last = Math.floor(tail / size)
      for (let block = Math.floor(head / size); ; ) {
        const following = chain[block]!
        give(block)
        if (block === last) return
        block = following
      }
    },
  }
}
