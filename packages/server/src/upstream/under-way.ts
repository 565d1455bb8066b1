// What is under way, as a plain list. A Set would keep what is finished: whenever it makes its table
// anew, the old table goes on pointing to what was in it and to its successor. Once V8 has moved one table to its old
// space, that one holds the chain of all later ones, and every request is copied there until the next full collection.

/** Something that is under way. Only the list writes its place. */
export interface Member {
  /** Where it stands in its list; -1 where it stands in none. */
  place: number
}

/** A list that anything leaves in one step. */
export interface UnderWay<One extends Member> {
  add(one: One): void
  /** Does nothing for what is not in it. */
  remove(one: One): void
  /** All of them now; what is added and removed later changes nothing of it. */
  all(): readonly One[]
  readonly size: number
}

export function createUnderWay<One extends Member>(): UnderWay<One> {
  const list: One[] = []
  return {
    add(one) {
      one.place = list.push(one) - 1
    },
    remove(one) {
      const { place } = one
      if (list[place] !== one) return
      const last = list.pop()!
      if (last !== one) {
        list[place] = last
        last.place = place
      }
      one.place = -1
    },
    all: () => list.slice(),
    get size() {
      return list.length
    },
  }
}
