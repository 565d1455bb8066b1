// The exported lines in a real HAProxy.

import { writers } from './proof.ts'

writers({
  platform: 'haproxy',
  program: 'haproxy',
  stated: () => false,
  files: ([frontend], port, upstream) => ({
    'haproxy.cfg': `
global
    maxconn 100
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend api
    bind 127.0.0.1:${port}
${frontend!.text}
    default_backend app
backend app
    server app 127.0.0.1:${upstream}
`,
  }),
  words: (folder) => ({
    check: ['-c', '-f', `${folder}/haproxy.cfg`],
    run: ['-db', '-f', `${folder}/haproxy.cfg`],
  }),
})
