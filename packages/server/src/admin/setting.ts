// `admin`: where the operator's own listener is.

import { either, flag, type Infer, integer, list, not, object, text } from 'sallyport/settings'

const host = text(
  {
    pattern: /^[A-Za-z0-9.:_-]{1,253}$/,
    expected: 'an address or a host name',
    mend: 'write "127.0.0.1"',
  },
  'The address to listen on.',
)

const path = text(
  {
    pattern: /^[^\0]+$/,
    max: 100,
    expected: 'a path of at most 100 characters',
    mend: 'write a shorter path',
  },
  'A Unix socket; only its owner may connect.',
)

const hosts = list(
  text(
    {
      pattern: /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/,
      expected: 'a host name in small letters, without a port',
      mend: 'write "gateway.internal"',
    },
    'A name.',
  ),
  'Names by which the listener is asked, besides localhost and addresses. Any other is refused: a page whose name was pointed at this machine would be one (DNS rebinding).',
  { max: 100 },
)

export const adminSchema = either(
  [
    not('No admin listener.'),
    object(
      {
        host,
        port: integer({ min: 0, max: 65_535, example: 9901 }, 'The port; 0 takes a free one.'),
        path,
        hosts,
        allowNonLoopback: flag(
          'Lets the address be one that other machines can reach; false. They need no password.',
        ),
      },
      'An address, or a Unix socket.',
    ),
  ],
  'The listener for operators: health, metrics, configuration, reload, drain. It has no password: whoever reaches it may drain the gateway.',
)

export type AdminSetting = Infer<typeof adminSchema>
