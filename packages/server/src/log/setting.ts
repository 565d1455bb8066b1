// `accessLog`: where the line of each request goes.

import { either, type Infer, not, object, oneOf, text } from 'sallyport/settings'

export const accessLogSchema = either(
  [
    not('No access log.'),
    oneOf(['stdout'], 'The standard output.'),
    object(
      {
        file: text(
          {
            pattern: /^[^\0]+$/,
            expected: 'a path',
            mend: 'write a path such as "/var/log/sallyport/access.log"',
          },
          'The file, seen from the configuration file; only appended to, opened anew after rotation.',
        ),
      },
      'A file.',
    ),
  ],
  'One line of JSON for each request.',
)

export type AccessLogSetting = Infer<typeof accessLogSchema>
