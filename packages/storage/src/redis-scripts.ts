/**
 * The rows of a store are one hash, and their keys one sorted set with equal scores, for scans. A
 * value of the hash is u64(version) || value. Field DEL, which no key can be, holds the last version
 * given out, in decimal.
 */
export const COUNTER_FIELD = '\u007f';

const COUNTER = String.raw`tonumber(redis.call('HGET', KEYS[1], '\127') or '0')`;

/**
 * Makes the commits of one batch, one behind the other. KEYS: rows, index. ARGV: the version that
 * the store must have reached, the server's time in milliseconds after which nothing may be done
 * any more, the batch (`redis-batch.ts`). Replies the last version given out, and '1' or '0' for each commit.
 * Redis refuses the script as a whole, before it begins, where a write could fail (#!lua).
 */
export const COMMIT_SCRIPT = String.raw`#!lua
local rows, index, batch = KEYS[1], KEYS[2], ARGV[3]
local now = redis.call('TIME')
if now[1] * 1000 + now[2] / 1000 > tonumber(ARGV[2]) then
  return redis.error_reply('EXPIRED the commit came too late')
end
local version = ${COUNTER}
if version < tonumber(ARGV[1]) then
  return redis.error_reply('SETBACK the store has an earlier version')
end
local before, made, at = version, {}, 1
while at <= #batch do
  local count, holds, changes = 0, true, {}
  count, at = struct.unpack('>I4', batch, at)
  for i = 1, count do
    local write, conditional, expect, key, value
    write, conditional, expect, key, value, at = struct.unpack('>BBc8I2c0I4c0', batch, at)
    if holds and conditional == 1 then
      local row = redis.call('HGET', rows, key)
      holds = expect == (row and row:sub(1, 8) or '\0\0\0\0\0\0\0\0')
    end
    changes[i] = { write, key, value }
  end
  if holds then
    version = version + 1
    local head = struct.pack('>I8', version)
    for i = 1, count do
      local write, key, value = unpack(changes[i])
      if write == 1 then
        if redis.call('HSET', rows, key, head .. value) == 1 then redis.call('ZADD', index, 0, key) end
      elseif redis.call('HDEL', rows, key) == 1 then
        redis.call('ZREM', index, key)
      end
    end
  end
  made[#made + 1] = holds and '1' or '0'
end
if version > before then redis.call('HSET', rows, '\127', string.format('%.0f', version)) end
return { version, table.concat(made) }
`;

/**
 * The rows between two bounds of ZRANGEBYLEX. KEYS: rows, index. ARGV: lower bound, upper bound,
 * rows at most (-1 for all). Replies the last version given out, then each key and its row.
 */
export const SCAN_SCRIPT = String.raw`#!lua flags=no-writes
local keys = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])
local found = { ${COUNTER} }
for first = 1, #keys, 1000 do
  local rows = redis.call('HMGET', KEYS[1], unpack(keys, first, math.min(first + 999, #keys)))
  for i = 1, #rows do
    found[#found + 1] = keys[first + i - 1]
    found[#found + 1] = rows[i]
  end
end
return found
`;
