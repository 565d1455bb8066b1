// Fastify tells its routes as a drawn tree alone: each line adds to the path of the line that it hangs on.

import type { Handler, Handlers } from './handlers.ts'

interface FastifyWithRoutes {
  ready(): PromiseLike<unknown>
  printRoutes(): string
}

export function isFastifyWithRoutes(app: object): app is FastifyWithRoutes {
  return app !== null && typeof (app as Partial<FastifyWithRoutes>).printRoutes === 'function'
}

/** Lists the handlers, plugins loaded. */
export async function fastifyHandlers(app: FastifyWithRoutes): Promise<Handlers> {
  await app.ready()
  return { handlers: readTree(app.printRoutes()), unreadable: [] }
}

const BRANCH = 4

function readTree(tree: string): readonly Handler[] {
  const path: string[] = []
  const handlers: Handler[] = []
  for (const line of tree.split('\n')) {
    const drawn = /^(?:│ {3}| {4})*(?:├── |└── )?/.exec(line)![0].length
    const text = /^(.*?)(?: \(([A-Z]+(?:, [A-Z]+)*)\)(?: \{.*\})?)?$/.exec(line.slice(drawn))
    if (text === null || line.trim() === '') continue
    // A line without a branch says the last node again, with another constraint.
    const depth = drawn / BRANCH - 1
    path.length = depth
    path.push(text[1]!)
    for (const method of text[2]?.split(', ') ?? []) handlers.push({ method, path: path.join('') })
  }
  return handlers
}
