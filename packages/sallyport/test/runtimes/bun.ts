// Serves the app on Bun; prints the port.

import { app } from './app.ts'

declare const Bun: {
  serve(options: { hostname: string; port: number; fetch: typeof app }): { port: number }
}

console.log(Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: app }).port)
