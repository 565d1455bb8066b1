// Express 5 keeps its handlers as a stack of layers: routes, routers mounted on a path, middleware.

import type { Handlers, Unreadable } from './handlers.ts'

interface Layer {
  /** As written; routers of 2.3 and later keep it. */
  readonly rawPath?: unknown
  readonly slash?: boolean
  readonly name?: string
  readonly route?: { readonly path: unknown; readonly methods: Readonly<Record<string, boolean>> }
  readonly handle: { readonly stack?: readonly Layer[] }
}

interface ExpressWithRoutes {
  readonly router: { readonly stack: readonly Layer[] }
}

export function isExpress(app: object): app is ExpressWithRoutes {
  if (typeof app !== 'function' || !('handle' in app)) return false
  // Express 4 throws where its router is asked for.
  try {
    return Array.isArray((app as unknown as ExpressWithRoutes).router.stack)
  } catch {
    return false
  }
}

type Found = { handlers: { method: string; path: string }[]; unreadable: Unreadable[] }

/** Lists the handlers of routes; what middleware answers by itself is no route. */
export function expressHandlers({ router }: ExpressWithRoutes): Handlers {
  const found: Found = { handlers: [], unreadable: [] }
  for (const layer of router.stack) read(layer, '', found)
  return found
}

function read(layer: Layer, prefix: string, found: Found): void {
  if (layer.route) {
    const methods = Object.keys(layer.route.methods).map((name) =>
      name === '_all' ? '*' : name.toUpperCase(),
    )
    for (const path of pathsIn(layer.route.path, prefix, found))
      for (const method of methods) found.handlers.push({ method, path })
    return
  }
  const isApp = layer.name === 'mounted_app'
  if (!isApp && layer.handle.stack === undefined) return
  const written = layer.rawPath ?? (layer.slash === true ? '/' : undefined)
  if (written === undefined) {
    found.unreadable.push({
      path: `${prefix}/*`,
      what: 'a router is mounted where this version of Express does not tell',
      mend: 'bring the package "router" to 2.3 or later',
    })
    return
  }
  for (const path of pathsIn(written, prefix, found)) {
    const base = path === '/' ? '' : path.replace(/\/+$/, '')
    if (isApp)
      found.unreadable.push({
        path,
        what: `an app of its own is mounted at ${path}, whose routes it keeps to itself`,
        mend: `write forEachRoute(inner, policy, { prefix: "${base}" }) for it, and except: ["${base}/*"] here`,
      })
    else for (const inner of layer.handle.stack ?? []) read(inner, base, found)
  }
}

function pathsIn(written: unknown, prefix: string, found: Found): readonly string[] {
  return [written].flat(Number.POSITIVE_INFINITY as 1).flatMap((path: unknown) => {
    if (typeof path === 'string') {
      const whole =
        prefix +
        (path === '/' && prefix !== '' ? '' : path.startsWith('/') || path === '' ? path : `/${path}`)
      return [whole === '' ? '/' : whole]
    }
    found.unreadable.push({
      path: prefix + String(path),
      what: `the route ${prefix}${String(path)} is a pattern, and no set of paths can be read from it`,
      mend: 'write it as paths with parameters, or name it in except',
    })
    return []
  })
}
