// Tiles: the nodes of a log in pieces of 256 hashes of one level, at addresses that never change (C2SP tlog-tiles).
// A tile of level L holds nodes of the tree's level 8 × L.

/** Hashes in a full tile. */
export const TILE_WIDTH = 256
const TILE_HEIGHT = 8

/** Where a node of the tree stands: in which tile, and under how many levels of it. */
export interface TilePlace {
  readonly level: number
  readonly index: number
  /** The hashes of the tile whose subtree the node is: from this one, so many. */
  readonly from: number
  readonly count: number
}

/** The place of a node. */
export function tilePlace(nodeLevel: number, nodeIndex: number): TilePlace {
  const level = Math.floor(nodeLevel / TILE_HEIGHT)
  const count = 2 ** (nodeLevel % TILE_HEIGHT)
  const first = nodeIndex * count
  return { level, index: Math.floor(first / TILE_WIDTH), from: first % TILE_WIDTH, count }
}

/** `tile/0/x001/234`, and `.p/17` behind it where the tile holds only 17 hashes. */
export function tilePath(level: number, index: number, width: number = TILE_WIDTH): string {
  let rest = String(index % 1000).padStart(3, '0')
  for (let n = Math.floor(index / 1000); n > 0; n = Math.floor(n / 1000))
    rest = `x${String(n % 1000).padStart(3, '0')}/${rest}`
  return `tile/${level}/${rest}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

/** How many hashes the tile holds in a tree of `size` entries; 0 where it is not there yet. */
export function tileWidth(level: number, index: number, size: number): number {
  const nodes = Math.floor(size / 2 ** (TILE_HEIGHT * level))
  return Math.max(0, Math.min(TILE_WIDTH, nodes - index * TILE_WIDTH))
}
