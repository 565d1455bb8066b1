// The paths of keys, and what is asked for at each.

export const KEYS_PATH = '/v1/keys'

/** How a caller names the key that it shows. */
const SELF = 'self'

/** Where the key that is shown is rotated. */
export const OWN_ROTATION = `${KEYS_PATH}/${SELF}/rotate`

/** What is asked for. `self` stands for the key that is shown. */
export type Asked =
  | { readonly what: 'list' }
  | { readonly what: 'create' }
  | { readonly what: 'show'; readonly id: string }
  | { readonly what: 'rotate'; readonly id: string }
  | { readonly what: 'revoke'; readonly id: string }
  | { readonly what: 'nothing here' }
  | { readonly what: 'another method'; readonly allow: string }

// Every id that the records make, and what embedding programs may take for one.
const ID = /^[\w.-]{1,64}$/

/** Whether the path is one of ours. */
export function isKeysPath(path: string): boolean {
  return path.startsWith(KEYS_PATH) && (path.length === KEYS_PATH.length || path[KEYS_PATH.length] === '/')
}

/** Reads method and path. @param own the id of the key that is shown, where one is */
export function askedFor(method: string, path: string, own: string | undefined): Asked {
  const [id, action, ...rest] = path.slice(KEYS_PATH.length + 1).split('/')
  const isRead = method === 'GET' || method === 'HEAD'
  if (path === KEYS_PATH) {
    if (isRead) return { what: 'list' }
    return method === 'POST' ? { what: 'create' } : { what: 'another method', allow: 'GET, HEAD, POST' }
  }
  const named = id === SELF ? own : id
  if (named === undefined || !ID.test(named) || rest.length > 0) return { what: 'nothing here' }
  if (action === undefined) {
    if (isRead) return { what: 'show', id: named }
    return method === 'DELETE'
      ? { what: 'revoke', id: named }
      : { what: 'another method', allow: 'GET, HEAD, DELETE' }
  }
  if (action !== 'rotate') return { what: 'nothing here' }
  return method === 'POST' ? { what: 'rotate', id: named } : { what: 'another method', allow: 'POST' }
}
