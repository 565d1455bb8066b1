// Where a setting was written: in a route, at the top level, or in a layer that the document extends. A problem that
// shows only after resolution is reported there.

import { childPath } from '../policy/problem.ts'
import { isPlainObject } from '../policy/schema.ts'
import { presets } from '../presets/index.ts'
import type { PresetName } from '../presets/names.ts'
import type { PolicyDocument } from './policy.ts'

/** The place of a setting. */
export interface WrittenPlace {
  /** The path of what holds it, `''` for the top level of the document: `extends[0].routes["/x"]`. */
  readonly holder: string
  /** The preset that says it, where it is not the document itself. */
  readonly preset: PresetName | undefined
  readonly inRoute: boolean
}

interface Layer {
  readonly path: string
  readonly document: PolicyDocument
  readonly preset: PresetName | undefined
}

/** Finds the places of a document's settings; the route is `undefined` for the default cell. */
export function placeFinder(
  document: PolicyDocument,
): (route: string | undefined, parts: readonly string[]) => WrittenPlace {
  const layers = layersOf({ path: '', document, preset: undefined })
  return (route, parts) => {
    // The setting itself, else the nearest object around it: a value may come from the defaults.
    for (let length = parts.length; length > 0; length--) {
      const wanted = parts.slice(0, length)
      if (route !== undefined)
        for (const layer of layers)
          if (has(layer.document.routes?.[route], wanted)) return place(layer, route)
      for (const layer of layers) if (has(layer.document, wanted)) return place(layer, undefined)
    }
    const named = layers.find((layer) => route !== undefined && has(layer.document.routes, [route]))
    return named ? place(named, route) : place(layers[0]!, undefined)
  }
}

function place({ path, preset }: Layer, route: string | undefined): WrittenPlace {
  // A preset's data is laid into the document, so its settings are named as if they stood there.
  const top = preset === undefined ? path : ''
  const holder = route === undefined ? top : childPath(childPath(top, 'routes'), route)
  return { holder, preset, inRoute: route !== undefined }
}

// Top first: the order in which layers win.
function layersOf(layer: Layer): readonly Layer[] {
  const below = layer.document.extends ?? []
  const isList = Array.isArray(below)
  const entries = (isList ? below : [below]) as readonly (PresetName | PolicyDocument)[]
  const lower = entries.map((entry, index): readonly Layer[] => {
    const at = childPath(layer.path, 'extends')
    return typeof entry === 'string'
      ? layersOf({ path: at, document: presets[entry], preset: entry })
      : layersOf({ path: isList ? childPath(at, index) : at, document: entry, preset: layer.preset })
  })
  return [layer, ...lower.reverse().flat()]
}

function has(holder: unknown, parts: readonly string[]): boolean {
  let at = holder
  for (const part of parts) {
    if (Array.isArray(at) ? !(part in at) : !isPlainObject(at) || !Object.hasOwn(at, part)) return false
    at = (at as Record<string, unknown>)[part]
  }
  return true
}
