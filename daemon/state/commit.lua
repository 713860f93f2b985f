-- One tenant's commit: all of it, or nothing and why. daemon/state/commit.c makes the arguments.
--
-- KEYS  1 state hash, 2 timers, then the strings, then one key per step (the same key may come again)
-- ARGV  1 the version expected in the state hash ("0": there is none)
--       2 the plan, two bytes per step: which command, and how many of the arguments that follow are its own
--       from 3 on the values of the strings (empty: remove), then the arguments of the steps, one after the other
-- Returns {1, version written} or {0, version found, which is not the expected one}. An error has written nothing.
local call, byte = redis.call, string.byte
local state, timers, expected, plan = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local first_step = #KEYS - #plan / 2 + 1

local found = call('HGET', state, 'version') or '0'
if found ~= expected then return {0, found} end

-- Whatever can refuse does so here, by commands that change nothing: memory, read only, disk, rights, types. ZADD comes
-- first: once a command has passed that takes no memory, Redis does not ask about memory again in this script. A string
-- is set whatever stood there: only the right to do so is asked for.
call('ZADD', timers, 'XX', 0, '')
call('ZREM', timers, '')
call('HDEL', state, '')
for i = first_step, #KEYS do
  if KEYS[i] ~= timers then call('HLEN', KEYS[i]) end
end
if first_step > 3 and not (redis.acl_check_cmd('MSET', KEYS[3], '') and redis.acl_check_cmd('DEL', KEYS[3])) then
  return redis.error_reply('NOPERM this user may not run MSET and DEL on ' .. KEYS[3])
end
local now = call('TIME')
local version = string.format('%.0f', math.max(found + 1, now[1] * 1000000 + now[2]))

call('HSET', state, 'version', version)
local set, n = {}, 0
for i = 3, first_step - 1 do
  local value = ARGV[i]
  if value == '' then
    call('DEL', KEYS[i])
  else
    set[n + 1], set[n + 2], n = KEYS[i], value, n + 2
  end
  if n == 4000 then -- as many as Lua can hand over at once, and some room
    call('MSET', unpack(set, 1, n))
    n = 0
  end
end
if n > 0 then call('MSET', unpack(set, 1, n)) end

local commands = {'HSET', 'HDEL', 'ZADD', 'ZREM'}
local at = first_step
for i = first_step, #KEYS do
  local command, n = byte(plan, (i - first_step) * 2 + 1, (i - first_step) * 2 + 2)
  call(commands[command], KEYS[i], unpack(ARGV, at, at + n - 1))
  at = at + n
end
return {1, version}
