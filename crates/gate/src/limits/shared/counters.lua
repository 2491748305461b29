-- The counters of one credential, for all its windows and its bucket at once: the arithmetic of window.rs, in whole numbers that stay
-- below 2^53, so that doubles are exact.
--
-- KEYS[1]  a hash
-- ARGV     1 now in ms (0: the server's clock)   2 cost   3 how many more to set aside   4 at most this share of what is left (1/n)
--          5 how many that were set aside are given back
--          6 size of the bucket (0: none)   7 its interval in ns   8, 9 when it is whole, as the caller knows it (ms, ns)
--          10 number of the call whose answer the caller knows
--          then for each window: quota, length in ms; index, present, before as the caller last knew them; index, present, before of what
--          the caller admitted while it could not ask
-- Answers  1 or 0, set aside, now, number of this call, backlog of the bucket in ns, then index, present, before of each window
local now = tonumber(ARGV[1])
if now == 0 then
  local clock = redis.call('TIME')
  now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
end
local cost, want, share, back = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local size, interval = tonumber(ARGV[6]), tonumber(ARGV[7])
local windows = (#ARGV - 10) / 8

local names = {'n', 'a', 'r'}
for w = 0, windows - 1 do
  local millis = ARGV[10 + w * 8 + 2]
  names[#names + 1] = 'i' .. millis
  names[#names + 1] = 'p' .. millis
  names[#names + 1] = 'b' .. millis
end
local stored = redis.call('HMGET', KEYS[1], unpack(names))
local number = (tonumber(stored[1]) or 0) + 1
-- A server that lost its memory is told what is known. One that did not knows better: others may have given something back.
local lost = number <= tonumber(ARGV[10])

-- count * part / whole, rounded down
local function weigh(count, part, whole)
  local times = math.floor(count / whole)
  return times * part + math.floor((count - times * whole) * part / whole)
end

local room = 9007199254740991
local longest = 0
local cells = {}
for w = 0, windows - 1 do
  local at = 10 + w * 8
  local quota, millis = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local known, known_present, known_before = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
  local owed, owed_present, owed_before = tonumber(ARGV[at + 6]), tonumber(ARGV[at + 7]), tonumber(ARGV[at + 8])
  local index = math.floor(now / millis)
  local i = tonumber(stored[4 + w * 3]) or index
  local p = tonumber(stored[5 + w * 3]) or 0
  local b = tonumber(stored[6 + w * 3]) or 0
  if index == i + 1 then
    i, p, b = index, 0, p
  elseif index > i then
    i, p, b = index, 0, 0
  end
  if lost and known == i then
    p, b = math.max(p, known_present), math.max(b, known_before)
  elseif lost and known + 1 == i then
    b = math.max(b, known_present)
  end
  if owed == i then
    p, b = p + owed_present, b + owed_before
  elseif owed + 1 == i then
    b = b + owed_present
  end
  if known == i then
    p = math.max(0, p - back)
  elseif known + 1 == i then
    b = math.max(0, b - back)
  end
  local elapsed = math.min(math.max(now - i * millis, 0), millis)
  local used = p + weigh(b, millis - elapsed, millis)
  room = math.min(room, quota - used - cost)
  longest = math.max(longest, millis)
  cells[#cells + 1] = i
  cells[#cells + 1] = p
  cells[#cells + 1] = b
end

local backlog = 0
if size > 0 then
  local mine = (tonumber(ARGV[8]) - now) * 1000000 + tonumber(ARGV[9])
  local theirs = ((tonumber(stored[2]) or 0) - now) * 1000000 + (tonumber(stored[3]) or 0)
  if lost then
    theirs = math.max(mine, theirs)
  end
  backlog = math.max(0, theirs - interval * back)
  room = math.min(room, math.floor((interval * size - backlog) / interval) - cost)
end

local admitted, aside = 0, 0
if room >= 0 then
  admitted = 1
  aside = math.min(want, math.floor(room / share))
  for w = 0, windows - 1 do
    cells[w * 3 + 2] = cells[w * 3 + 2] + cost + aside
  end
  if size > 0 then
    backlog = backlog + interval * (cost + aside)
  end
end

local write = {'n', number, 'a', now + math.floor(backlog / 1000000), 'r', backlog % 1000000}
for at = 4, #names do
  write[#write + 1] = names[at]
  write[#write + 1] = cells[at - 3]
end
redis.call('HSET', KEYS[1], unpack(write))
redis.call('PEXPIRE', KEYS[1], longest * 2 + 1000)
return {admitted, aside, now, number, backlog, unpack(cells)}
