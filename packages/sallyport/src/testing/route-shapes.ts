// The paths of a framework's route as segments, so that they can be held against the routes of a policy.

/** One segment: a word, anything in its place, or anything of any depth. */
export type Shape = readonly (string | typeof ANY | typeof REST)[]

export const ANY = Symbol('one segment')
export const REST = Symbol('any depth')

const MOST_FORMS = 32

/**
 * The forms of a path of Express 5, Fastify or Hono: `/v1/users/:id`, `/files/*`, `/files/*path`, `/n{/:page}`,
 * `/n/:page?`, `/:id{[0-9]+}`, `/:id(^\\d+)`. One for each choice of optional parts.
 */
export function shapesOf(path: string): readonly Shape[] {
  const forms = new Set<string>()
  for (const written of withoutGroups(path))
    for (const form of withoutOptional(written)) {
      if (forms.size < MOST_FORMS) forms.add(form)
    }
  return [...forms].map((form) =>
    form
      .split('/')
      .slice(1)
      .map((part) => (part.startsWith('*') ? REST : isOpen(part) ? ANY : part)),
  )
}

// A segment with a parameter in it, or a pattern, may be any word.
function isOpen(part: string): boolean {
  return /[:*({]/.test(part)
}

// Express 5: braces round a part with a "/" or at a segment's end are optional; Hono's braces hold a pattern.
function withoutGroups(path: string): readonly string[] {
  const group = /\{(\/[^{}]*)\}/.exec(path)
  if (group === null) return [path]
  const before = path.slice(0, group.index)
  const after = path.slice(group.index + group[0].length)
  return withoutGroups(after).flatMap((rest) => [before + rest, before + group[1]! + rest])
}

function withoutOptional(path: string): readonly string[] {
  const parts = path.split('/')
  const at = parts.findIndex((part) => part.startsWith(':') && part.endsWith('?'))
  if (at < 0) return [path]
  const given = [...parts.slice(0, at), parts[at]!.slice(0, -1), ...parts.slice(at + 1)].join('/')
  const left = [...parts.slice(0, at), ...parts.slice(at + 1)].join('/')
  return [...withoutOptional(left === '' ? '/' : left), ...withoutOptional(given)]
}

/** Paths that such a route serves: a policy route covers it where it covers all of them. */
export function samplesOf(shape: Shape): readonly string[] {
  const parts = shape.map((part) => (part === ANY ? 'sallyport-sample' : part))
  if (!parts.includes(REST)) return [`/${parts.join('/')}`]
  return ['sallyport-sample', 'sallyport-sample/sallyport-sample'].map(
    (rest) => `/${parts.map((part) => (part === REST ? rest : part)).join('/')}`,
  )
}

/** True where one path fits both. */
export function overlap(one: Shape, other: Shape): boolean {
  const [first, ...rest] = one
  const [second, ...others] = other
  // "/x/*" covers "/x" too.
  if (first === REST || second === REST) return true
  if (first === undefined || second === undefined) return first === second
  return (first === ANY || second === ANY || first === second) && overlap(rest, others)
}
