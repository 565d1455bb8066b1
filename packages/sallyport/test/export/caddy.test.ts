// The exported routes in a real Caddy.

import { writers } from './proof.ts'

writers({
  platform: 'caddy',
  program: 'caddy',
  stated: () => false,
  files: ([file], port, upstream) => {
    const { routes } = JSON.parse(file!.text) as { routes: object[] }
    const proxy = { handle: [{ handler: 'reverse_proxy', upstreams: [{ dial: `127.0.0.1:${upstream}` }] }] }
    const config = {
      admin: { disabled: true },
      logging: { logs: { default: { level: 'ERROR' } } },
      apps: {
        http: {
          servers: {
            api: {
              listen: [`127.0.0.1:${port}`],
              automatic_https: { disable: true },
              routes: [...routes, proxy],
              errors: { routes },
            },
          },
        },
      },
    }
    return { 'caddy.json': JSON.stringify(config) }
  },
  words: (folder) => ({
    check: ['validate', '--config', `${folder}/caddy.json`],
    run: ['run', '--config', `${folder}/caddy.json`],
  }),
})
