// The exported lines in a real Apache httpd.

import { writers } from './proof.ts'

const MODULES = ['mpm_event', 'authz_core', 'headers', 'rewrite', 'proxy', 'proxy_http', 'env', 'setenvif']

writers({
  platform: 'apache',
  program: 'apache2',
  states: true,
  stated: (probe, detail) => probe.startsWith('headers/strip ') && /^server: Apache/.test(detail),
  ownRefusals: ['/%', '/a%00'],
  files: ([vhost], port, upstream) => ({
    'httpd.conf': `
ServerRoot {folder}
${MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
Listen 127.0.0.1:${port}
ServerName localhost
ServerTokens Prod
PidFile {folder}/pid
ErrorLog {folder}/error.log
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
<VirtualHost *:${port}>
${vhost!.text}
ProxyPass / http://127.0.0.1:${upstream}/ nocanon
</VirtualHost>
`,
  }),
  words: (folder) => ({
    check: ['-t', '-f', `${folder}/httpd.conf`],
    run: ['-D', 'FOREGROUND', '-f', `${folder}/httpd.conf`],
  }),
})
