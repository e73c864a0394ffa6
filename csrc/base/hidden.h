/* hidden.h: what a source defines is not exported, so that no program's function of the same name takes
 * its place. Each source includes this last: what the system declares before stays as it is. The flag
 * -fvisibility=hidden would do the same, but luarocks cannot be told to set it. */
#pragma GCC visibility push(hidden)
