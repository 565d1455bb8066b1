// The exported configuration in a real nginx: what it can express holds, and what it can't is what it says.

import { writers } from './proof.ts'

writers({
  platform: 'nginx',
  program: 'nginx',
  states: true,
  stated: (probe, detail) => probe.startsWith('headers/strip ') && detail === 'server: nginx',
  files: ([http, server], port, upstream) => ({
    'sallyport-http.conf': http!.text,
    'sallyport-server.conf': server!.text,
    'nginx.conf': `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {}
http {
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  include {folder}/sallyport-http.conf;
  server {
    listen 127.0.0.1:${port};
    include {folder}/sallyport-server.conf;
    location / { proxy_pass http://127.0.0.1:${upstream}; }
  }
}
`,
  }),
  words: (folder) => {
    const own = ['-p', folder, '-e', `${folder}/error.log`, '-c', `${folder}/nginx.conf`]
    return { check: [...own, '-t'], run: own }
  },
})
