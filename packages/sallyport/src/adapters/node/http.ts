// node:http and node:https, loaded when a server gets its guard and not before: importing the library costs a process
// little. Asked for as CommonJS sees them, since an `import` makes Node touch every export of node:http, WebSocket among
// them, and that loads a whole HTTP client (some 10 ms) into processes that never use one.

import type * as Http from 'node:http'
import type * as Https from 'node:https'

let loadedHttp: typeof Http | undefined

export function http(): typeof Http {
  loadedHttp ??= process.getBuiltinModule('node:http')
  return loadedHttp
}

export function https(): typeof Https {
  return process.getBuiltinModule('node:https')
}

/** True for servers of HTTP/1.1, in clear or under TLS. */
export function isHttpServer(server: unknown): server is Http.Server | Https.Server {
  // Where there is a server of node:https, the module is loaded already.
  return server instanceof http().Server || server instanceof https().Server
}
