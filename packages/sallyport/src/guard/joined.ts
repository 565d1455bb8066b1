// The policy's lines of an answer as one string. Nearly every answer of a cell has the same lines as the one before it,
// so they are joined once and used again: to join them for each answer costs more than to judge its request.

import type { CompiledCell } from './compile.ts'
import type { Seen } from './control.ts'
import type { Exchange } from './exchange.ts'
import { type Lines, NO_LINES } from './lines.ts'

export class JoinedLines {
  private readonly parts: Lines[] = []
  // How many of the parts the strings are made of; -1 while they are not.
  private made = -1
  private wire = ''
  private wireWithVary = ''

  /**
   * The lines of an answer, in wire form.
   *
   * @param vary the line to stand instead of the cell's own `Vary`, in wire form
   * @throws what a control throws
   */
  of(cell: CompiledCell, exchange: Exchange, status: number, seen: Seen, vary: string | undefined): string {
    const { perAnswer } = cell
    const { parts } = this
    let once = ''
    for (let i = 0; i < perAnswer.length; i++) {
      const lines = perAnswer[i]!(exchange, status, seen)
      if (lines.once) once += lines.wire
      const part = lines.once ? NO_LINES : lines
      if (parts[i] === part) continue
      parts[i] = part
      // At once, since a later control may throw and leave us here with parts that are not joined.
      this.made = -1
    }
    if (this.made !== perAnswer.length) this.join(cell, perAnswer.length)
    return vary === undefined ? this.wireWithVary + once : this.wire + once + vary
  }

  // By `join`, which makes strings that are whole in memory: `+` makes a tree that is put together on every answer.
  private join({ fixed, varyLines }: CompiledCell, count: number): void {
    this.wire = [fixed, ...this.parts.slice(0, count)].map(({ wire }) => wire).join('')
    this.wireWithVary = [this.wire, varyLines.wire].join('')
    this.made = count
  }
}
