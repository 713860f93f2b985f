-- One tenant's commit: all of it, or nothing and why. daemon/state/commit.c makes the arguments.
--
-- KEYS  1 state hash, 2 timers, from 3 on one key per step (the same key may come again)
-- ARGV  1 the version expected in the state hash ("0": there is none)
--       2 the plan, two bytes per step: which command, and how many of the arguments that follow are its own
--       from 3 on the arguments of the steps, one after the other
-- Returns {1, version written} or {0, version found, which is not the expected one}. An error has written nothing.
local call, byte = redis.call, string.byte
local state, timers, expected, plan = KEYS[1], KEYS[2], ARGV[1], ARGV[2]

local found = call('HGET', state, 'version') or '0'
if found ~= expected then return {0, found} end

-- Whatever can refuse does so here, by commands that change nothing: memory, read only, disk, rights, types. ZADD comes
-- first: once a command has passed that takes no memory, Redis does not ask about memory again in this script.
call('ZADD', timers, 'XX', 0, '')
call('ZREM', timers, '')
call('HDEL', state, '')
for i = 3, #KEYS do
  if KEYS[i] ~= timers then call('HLEN', KEYS[i]) end
end
local now = call('TIME')
local version = string.format('%.0f', math.max(found + 1, now[1] * 1000000 + now[2]))

call('HSET', state, 'version', version)
local commands = {'HSET', 'HDEL', 'ZADD', 'ZREM'}
local at = 3
for i = 3, #KEYS do
  local command, n = byte(plan, i * 2 - 5, i * 2 - 4)
  call(commands[command], KEYS[i], unpack(ARGV, at, at + n - 1))
  at = at + n
end
return {1, version}
