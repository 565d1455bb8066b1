// The one script that counts in Valkey or Redis: all buckets of a request in one round trip, on the server's clock, all
// or none. The algorithms are those of the counters in memory.

import { createHash } from 'node:crypto'

/**
 * KEYS: one per bucket. ARGV: `take`, `peek`, `refund` or `probe`; the time of the take (refund only); then for each
 * bucket algorithm, limit, window in microseconds, cost, burst.
 * Answers: 1 or 0, the time in microseconds, then for each bucket fits, remaining, reset and wait (-1: never).
 *
 * A server clock that stepped back counts as no time: what is kept is moved back with it.
 */
export const counterScript = `
if redis.replicate_commands then redis.replicate_commands() end
local mode = ARGV[1]
if mode == 'probe' then redis.call('SET', KEYS[1], '1', 'PX', 1000) return 1 end
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local slack = 0.01
local function text(number) return string.format('%.0f', number) end

local function run(key, index)
  local item = redis.call('LINDEX', key, index)
  if not item then return nil end
  local at, sum, amount = string.match(item, '^(%d+):(%d+):(%d+)$')
  return tonumber(at), tonumber(sum), tonumber(amount)
end
local function write(at, sum, amount) return text(at) .. ':' .. text(sum) .. ':' .. text(amount) end

local exact = {}
function exact.load(key, b)
  local s = { used = 0, sum = 0 }
  local last = run(key, -1)
  if last and last > now then
    local items = redis.call('LRANGE', key, 0, -1)
    redis.call('DEL', key)
    for _, item in ipairs(items) do
      local at, rest = string.match(item, '^(%d+)(:.*)$')
      redis.call('RPUSH', key, text(at - (last - now)) .. rest)
    end
    redis.call('PEXPIRE', key, math.ceil(b.window / 1000) + 1)
  end
  local at, sum, amount = run(key, 0)
  while at and at + b.window <= now do
    redis.call('LPOP', key)
    at, sum, amount = run(key, 0)
  end
  if at then
    local newest, total = run(key, -1)
    s.base = sum - amount
    s.used = total - s.base
    s.sum = total
    s.last = newest
  end
  return s
end
function exact.check(key, b, s, cost)
  if s.used + cost <= b.limit then return true, b.limit - s.used, 0 end
  if cost > b.limit then return false, math.max(0, b.limit - s.used), -1 end
  local need = s.base + s.used + cost - b.limit
  local low, high = 0, redis.call('LLEN', key) - 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    local _, sum = run(key, middle)
    if sum >= need then high = middle else low = middle + 1 end
  end
  return false, math.max(0, b.limit - s.used), run(key, low) + b.window - now
end
function exact.reset(b, s) return s.used > 0 and s.last + b.window - now or 0 end
function exact.commit(key, b, s)
  s.sum = s.sum + b.cost
  redis.call('RPUSH', key, write(now, s.sum, b.cost))
  redis.call('PEXPIRE', key, math.ceil(b.window / 1000) + 1)
  return b.window
end
function exact.refund(key, b, s, taken)
  if taken + b.window <= now then return end
  local left = b.cost
  local at, sum, amount = run(key, 0)
  while at and left > 0 do
    if amount <= left then
      redis.call('LPOP', key)
      left = left - amount
      at, sum, amount = run(key, 0)
    else
      redis.call('LSET', key, 0, write(at, sum, amount - left))
      left = 0
    end
  end
end

-- The slot of time of the newest count, the sum of all counts, then the counts, the newest first. Nearly always the
-- newest slot is that of now, and then only the first three numbers are read and written.
local strict = {}
local head, older, size = '<dI4I4', '<' .. string.rep('I4', 15), 76
local blank = string.rep('\\0', 60)
function strict.save(key, s)
  redis.call('SET', key, struct.pack(head, s.now, s.used, s.newest) .. s.tail, 'PX', s.width / 1000 * 16 + 1)
end
function strict.counts(s) return { s.newest, struct.unpack(older, s.tail) } end
function strict.load(key, b)
  local s = { width = math.ceil(b.window / 15000) * 1000, used = 0, newest = 0, tail = blank }
  s.now = math.floor(now / s.width)
  local kept = redis.call('GET', key)
  if not kept or #kept ~= size then return s end
  local at, used, newest = struct.unpack(head, kept)
  s.newest = newest
  s.tail = string.sub(kept, 17)
  s.used = used
  if at >= s.now then
    if at > s.now then strict.save(key, s) end
    return s
  end
  local old, counts, behind = strict.counts(s), {}, s.now - at
  s.used = 0
  for age = 1, 16 do
    counts[age] = age > behind and old[age - behind] or 0
    s.used = s.used + counts[age]
  end
  s.newest = counts[1]
  s.tail = struct.pack(older, unpack(counts, 2, 16))
  return s
end
local function leaves(s, age) return (s.now - age + 16) * s.width - now end
function strict.check(key, b, s, cost)
  if s.used + cost <= b.limit then return true, b.limit - s.used, 0 end
  local retry, left = -1, s.used + cost - b.limit
  if cost <= b.limit then
    local counts = strict.counts(s)
    for age = 15, 0, -1 do
      left = left - counts[age + 1]
      if left <= 0 then retry = leaves(s, age) break end
    end
  end
  return false, math.max(0, b.limit - s.used), retry
end
function strict.reset(b, s)
  if s.used == 0 then return 0 end
  local counts = strict.counts(s)
  for age = 0, 15 do if counts[age + 1] > 0 then return leaves(s, age) end end
  return 0
end
function strict.commit(key, b, s)
  s.used = s.used + b.cost
  s.newest = s.newest + b.cost
  strict.save(key, s)
  return leaves(s, 0)
end
function strict.refund(key, b, s, taken)
  local age = math.max(0, s.now - math.floor(taken / s.width))
  if age > 15 then return end
  local counts = strict.counts(s)
  local back = math.min(counts[age + 1], b.cost)
  counts[age + 1] = counts[age + 1] - back
  s.used = s.used - back
  s.newest = counts[1]
  s.tail = struct.pack(older, unpack(counts, 2, 16))
  strict.save(key, s)
end

local smooth = {}
function smooth.save(key, b, s)
  redis.call('SET', key, struct.pack('<dd', s.level, now), 'PX', math.ceil(s.level * b.window / b.limit / 1000) + 1)
  return s.level * b.window / b.limit
end
function smooth.load(key, b)
  local s = { level = 0 }
  local kept = redis.call('GET', key)
  if kept then
    local level, at = struct.unpack('<dd', kept)
    s.level = math.max(0, level - math.max(0, now - at) * b.limit / b.window)
    if at > now and s.level > 0 and b.limit > 0 then smooth.save(key, b, s) end
  end
  return s
end
function smooth.check(key, b, s, cost)
  local remaining = math.max(0, math.floor(b.burst - s.level + slack))
  if s.level + cost <= b.burst + slack then return true, remaining, 0 end
  if cost > b.burst then return false, remaining, -1 end
  return false, remaining, (s.level + cost - b.burst) * b.window / b.limit
end
function smooth.reset(b, s) return b.limit > 0 and s.level * b.window / b.limit or 0 end
function smooth.commit(key, b, s)
  s.level = s.level + b.cost
  return smooth.save(key, b, s)
end
function smooth.refund(key, b, s, taken)
  local left = b.cost - (math.max(0, now - taken) + 1000) * b.limit / b.window
  if left <= 0 then return end
  s.level = math.max(0, s.level - left)
  smooth.save(key, b, s)
end

local algorithms = { exact = exact, strict = strict, smooth = smooth }
local buckets, states, answer, all, sums, again = {}, {}, { 1, now }, true, {}, nil
for index, key in ipairs(KEYS) do
  local first = 3 + (index - 1) * 5
  local b = {
    algorithm = algorithms[ARGV[first]], limit = tonumber(ARGV[first + 1]), window = tonumber(ARGV[first + 2]),
    cost = tonumber(ARGV[first + 3]), burst = tonumber(ARGV[first + 4]),
  }
  buckets[index] = b
  local state = b.algorithm.load(key, b)
  if mode == 'refund' then
    b.algorithm.refund(key, b, state, tonumber(ARGV[2]))
  else
    states[index] = state
    again = again or sums[key]
    sums[key] = (sums[key] or 0) + b.cost
    local fits, remaining, retry = b.algorithm.check(key, b, state, sums[key])
    all = all and fits
    local at = #answer
    answer[at + 1] = fits and 1 or 0
    answer[at + 2] = remaining
    answer[at + 3] = 0
    answer[at + 4] = math.ceil(retry)
  end
end
answer[1] = all and 1 or 0
local takes = mode == 'take' and all
for index, b in ipairs(buckets) do
  local key = KEYS[index]
  if takes then
    -- A bucket that is asked twice in one question is read anew when it is taken from.
    local state = again and b.algorithm.load(key, b) or states[index]
    answer[index * 4 + 1] = math.ceil(b.algorithm.commit(key, b, state))
    answer[index * 4] = math.max(0, answer[index * 4] - b.cost)
  elseif mode ~= 'refund' then
    answer[index * 4 + 1] = math.ceil(b.algorithm.reset(b, states[index]))
  end
end
return answer
`

/** How the server knows the script. */
export const counterScriptDigest = createHash('sha1').update(counterScript).digest('hex')
