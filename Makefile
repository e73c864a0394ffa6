# aish_history: crash-safe session logs and memories for the aish shell. `make help` lists the targets.

PREFIX      ?= /usr/local
# LuaJIT counts as 5.1. LUA=lua5.4 sets the version too, and is the suite that make test runs.
LUA_VERSION ?= $(or $(patsubst lua%,%,$(filter lua5.%,$(LUA))),5.1)
BUILD       ?= build$(if $(filter-out 5.1,$(LUA_VERSION)),/lua$(LUA_VERSION))
LUA_NAMES    = $(if $(filter 5.1,$(LUA_VERSION)),luajit) lua$(LUA_VERSION) lua-$(LUA_VERSION) lua$(subst .,,$(LUA_VERSION))
# Asked for until there is one: what installs it may be a target of this make.
LUA_INCDIR  ?= $(or $(found_incdir),$(eval found_incdir := $$(patsubst -I%,%,$$(firstword $$(shell \
  for lua in $(LUA_NAMES); do pkg-config --cflags-only-I $$$$lua 2>/dev/null && break; done))))$(found_incdir))

ifneq ($(words $(BUILD))$(findstring ',$(BUILD)),1)
$(error BUILD=$(BUILD): make cannot build in a directory with spaces or apostrophes in its name)
endif
ifeq ($(filter 5.1 5.2 5.3 5.4 5.5,$(LUA_VERSION)),)
$(error LUA_VERSION=$(LUA_VERSION): aish_history was tested with LuaJIT 2.1 and Lua 5.1 to 5.5)
endif

CFLAGS   ?= -O2 -g
WARNINGS ?= -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
  -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla $(if $(filter 1,$(WERROR)),-Werror)

# What the code needs, whatever the flags above are set to.
COMPILE = $(CC) -std=c11 -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -fPIC $(addprefix -I,$(LUA_INCDIR)) -Icsrc $(CPPFLAGS) $(WARNINGS) $(CFLAGS)
LINK    = $(CC) $(SHARED) $(CFLAGS) $(LDFLAGS)
SHARED  = -shared
SUITES ?= $(or $(LUA),$(if $(filter 5.1,$(LUA_VERSION)),luajit lua5.1 asan,lua$(LUA_VERSION)))
ifeq ($(shell uname -s),Darwin)
SHARED  = -bundle -undefined dynamic_lookup
SUITES  = luajit
endif

SOURCES = $(wildcard csrc/*.c csrc/*/*.c)
HEADERS = $(wildcard csrc/*.h csrc/*/*.h)
TESTS_C = $(wildcard spec/*/*.c spec/bench/native/*.c)
TESTS_H = $(wildcard spec/*/*.h)
OBJECTS = $(SOURCES:csrc/%.c=$(BUILD)/%.o) $(patsubst %.c,$(BUILD)/%.o,$(notdir $(SEAM)))
MODULE  = $(BUILD)/aish_history.so
LUADIR  = $(DESTDIR)$(PREFIX)/share/lua/$(LUA_VERSION)
LIBDIR  = $(DESTDIR)$(PREFIX)/lib/lua/$(LUA_VERSION)
BINDIR  = $(DESTDIR)$(PREFIX)/bin
SHARE   = $(DESTDIR)$(PREFIX)/share
MODULES = $(patsubst lua/%,%,$(wildcard lua/*.lua lua/*/*.lua lua/*/*/*.lua))
PAGES   = man/man1/aish-history.1 bash-completion/completions/aish-history zsh/site-functions/_aish-history \
  fish/vendor_completions.d/aish-history.fish
# What runs the command: the first that is there.
INTERPRETER ?= $(shell for lua in $(LUA_NAMES); do command -v $$lua && break; done)

.PHONY: dist qemu compilers fuzz power replay asan valgrind coverage all install uninstall clean help deps demo test test-all soak schedules tsan mutants bench bench-deps lint format format-check FORCE
MAKEFLAGS += --no-print-directory

CORES    ?= $(shell getconf _NPROCESSORS_ONLN)
# Of a make for what a target needs to be built: quick, and without a word unless something is wrong.
QUIET     = -s $(if $(findstring -j,$(MAKEFLAGS)),,-j$(CORES))

all: $(MODULE) ## Build build/aish_history.so (LUA_VERSION=5.4: build/lua5.4/, for that; WERROR=1: warnings are errors)

$(MODULE): $(OBJECTS) $(BUILD)/link.command
	$(LINK) -o $@ $(OBJECTS) -lm

$(BUILD)/%.o: csrc/%.c $(BUILD)/compile.command Makefile
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: spec/faults/%.c $(BUILD)/compile.command Makefile
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: spec/schedules/%.c $(BUILD)/compile.command Makefile
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

-include $(OBJECTS:.o=.d)

# Each holds the command of the last build, and is written when it has become another one: by other
# variables, or by a source that came or went.
compile.command = $(strip $(COMPILE))
link.command    = $(strip $(LINK) $(OBJECTS))
.SECONDEXPANSION:
$(BUILD)/compile.command $(BUILD)/link.command: $(BUILD)/%.command: $$(if $$(subst x$$($$*.command)x,,x$$(shell cat $$@ 2>/dev/null)x),FORCE)
	@mkdir -p $(@D)
	@echo '#include <lua.h>' | $(CC) $(addprefix -I,$(LUA_INCDIR)) $(CPPFLAGS) -E - >/dev/null 2>&1 || \
	  .ci/deps --check $(if $(filter 5.1,$(LUA_VERSION)),build,lua$(LUA_VERSION))
	@printf '%s\n' '$(subst ','\'',$($*.command))' >$@

install: all ## Install below PREFIX=/usr/local (with DESTDIR before it, for LUA_VERSION=5.1)
	mkdir -p "$(LIBDIR)" "$(BINDIR)" $(foreach folder,$(sort $(dir $(MODULES))),"$(LUADIR)/$(folder)")
	$(foreach file,$(MODULES),install -m 644 lua/$(file) "$(LUADIR)/$(file)" &&) :
	install -m 755 $(MODULE) "$(LIBDIR)/aish_history.so"
	sed '1s|.*|#!$(or $(INTERPRETER),/usr/bin/env luajit)|' lua/aish_history/command/aish-history >$(BUILD)/aish-history
	install -m 755 $(BUILD)/aish-history "$(BINDIR)/aish-history"
	@LUA_PATH='lua/?.lua;;' LUA_CPATH='$(BUILD)/?.so;;' .ci/pages '$(INTERPRETER)' "$(SHARE)"
	@$(if $(DESTDIR),,.ci/found "$(LUADIR)" "$(LIBDIR)" $(LUA_VERSION))

uninstall: ## Remove what install put there
	rm -f $(MODULES:%="$(LUADIR)/%") "$(LIBDIR)/aish_history.so" "$(BINDIR)/aish-history" $(PAGES:%="$(SHARE)/%")
	! test -d "$(LUADIR)/aish_history" || rmdir "$(LUADIR)/aish_history/"*/ "$(LUADIR)/aish_history"

clean: ## Remove what was built, and what luarocks leaves here
	rm -rf $(BUILD) aish_history.so aish_history-*.rock lua_modules .luarocks
	find csrc -name '*.o' -exec rm -f {} +

# What is committed, with the commit's time and nobody's name: the same bytes wherever it is packed.
VERSION = $(shell sed -n 's/.*_VERSION "\(.*\)"/\1/p' csrc/version.h)
DIST    = $(BUILD)/aish_history-$(VERSION).tar
dist: ## Pack what is committed as build/aish_history-VERSION.tar.gz
	@mkdir -p '$(BUILD)'
	@git -c tar.umask=0022 archive --format=tar --prefix='aish_history-$(VERSION)/' HEAD >'$(DIST)'
	@gzip -9nf '$(DIST)' && echo '$(DIST).gz'

deps: ## Install what building and testing need and this machine lacks
	@.ci/deps build test

demo: ## Play a short session of the shell on real files
	@.ci/deps build demo
	@$(MAKE) $(QUIET) all
	@here=$$(pwd) && export LUA_PATH="$$here/lua/?.lua;;" LUA_CPATH="$$(cd $(BUILD) && pwd)/?.so;;" && \
	  cd "$$(mktemp -d)" && trap 'rm -rf "$$PWD"' EXIT && luajit "$$here/spec/run/demo.lua"

# Of these each has a build of its own, below that of LuaJIT and Lua 5.1.
LATER  = $(filter-out lua5.1,$(filter lua5.%,$(SUITES)))
BASIC  = $(filter-out $(LATER) lint,$(SUITES))
# Where .ci/lua5.5 builds Lua 5.5, if there is no other.
LUA55  = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/aish_history_specs/lua5.5
test: export PATH := $(PATH):$(LUA55)/bin
test: export PKG_CONFIG_PATH := $(LUA55)/lib/pkgconfig$(PKG_CONFIG_PATH:%=:%)
test: override BUILD := $(BUILD:%/lua$(LUA_VERSION)=%)
test: deps ## Run the specs under LuaJIT, Lua 5.1 and sanitizers (LUA=lua5.4: under that; TESTS=spec/x_spec.lua: only these)
	@$(if $(filter lua5.5,$(LATER)),.ci/lua5.5 '$(LUA55)' || echo "Lua 5.5 is left out.")
	@$(if $(filter-out lua5.5,$(LATER)),.ci/deps $(filter-out lua5.5,$(LATER)))
	@.ci/deps optional || echo "What needs a browser or npm is left out."
	@echo "Building for the suites: $(SUITES)"
	@$(if $(BASIC),$(MAKE) $(QUIET) BUILD='$(BUILD)' LUA_VERSION=5.1 all $(BUILD)/faults/aish_history.so \
	  $(BUILD)/schedules/aish_history.so $(if $(filter asan,$(SUITES)),$(BUILD)/asan/aish_history.so))
	@for lua in $(LATER); do command -v $$lua >/dev/null || continue; \
	  $(MAKE) $(QUIET) BUILD="$(BUILD)/$$lua" LUA_VERSION="$${lua#lua}" all \
	  "$(BUILD)/$$lua/faults/aish_history.so" "$(BUILD)/$$lua/posix.so" || exit; done
	@BUILD='$(BUILD)' CORES='$(CORES)' TESTS='$(TESTS)' spec/run/suites $(SUITES)

test-all: ## Run the specs under every Lua, and sanitizers
	@$(MAKE) SUITES='luajit lua5.1 lua5.2 lua5.3 lua5.4 lua5.5 asan' test

# The headers of Lua are this machine's: they are the same everywhere. Of the specs, those of the sources.
qemu: ARCH ?= arm64
qemu: export TESTS ?= $(wildcard $(patsubst %,spec/%/*_spec.lua,base json text file memory session binding))
qemu: deps ## Run the specs on another machine's Lua (ARCH=arm64, armhf, i386, riscv64 or s390x; LUA=luajit)
	@.ci/deps qemu '$(ARCH)'
	@spec/machines/root '$(ARCH)' '$(BUILD)/$(ARCH)'
	@$(MAKE) $(QUIET) BUILD='$(BUILD)/$(ARCH)' CC='$(BUILD)/$(ARCH)/gcc' all '$(BUILD)/$(ARCH)/faults/aish_history.so'
	@BUILD='$(BUILD)' CORES='$(CORES)' MACHINE_LUA='$(LUA)' spec/run/suites '$(ARCH)'

compilers: deps ## Build with each compiler that is here, in several ways, and run the specs of what these may break
	@TESTS='$(TESTS)' spec/machines/compilers

soak: deps ## Kill writers at random moments, for thousands of rounds
	@$(MAKE) $(QUIET) all
	@SOAK=1 BUILD='$(BUILD)' TESTS=spec/promises/kill_spec.lua spec/run/suites luajit

schedules: deps ## Play every small schedule of processes and faults, then others by chance for SECONDS=60 (SEED=1)
	@$(MAKE) $(QUIET) '$(BUILD)/schedules/aish_history.so'
	@export AISH_HISTORY_CPATH='$(BUILD)' && \
	  seq $(CORES) | xargs -P 0 -I{} luajit spec/schedules/run.lua --share {} --of $(CORES) && \
	  seq $(or $(SEED),1) $$(($(or $(SEED),1) + $(CORES) - 1)) | \
	    xargs -P 0 -I{} luajit spec/schedules/run.lua --seconds $(or $(SECONDS),60) --seed {}

mutants: deps ## Plant COUNT=40 faults in csrc, picked by SEED=1, and list those that no spec notices (FILES=csrc/file/journal.c); goes on where it was interrupted
	@mkdir -p '$(BUILD)'
	@work=$$(mktemp -d) && chmod 755 "$$work" && trap 'rm -rf "$$work"' EXIT && trap 'exit 1' INT TERM && \
	  SEED='$(SEED)' COUNT='$(COUNT)' FILES='$(FILES)' CORES='$(CORES)' CPU='$(CPU)' SECONDS='$(SECONDS)' \
	  QUICK='$(QUICK)' LEAST='$(LEAST)' RESULTS='$(BUILD)/mutants' LUA_INCDIR='$(LUA_INCDIR)' luajit spec/mutants/run.lua "$$work"

power: deps ## Cut the power POWER_CUTS=300 times on LazyFS (LAZYFS=directory), ext4 and XFS
	@.ci/deps power || echo "What needs these is left out."
	@$(MAKE) $(QUIET) all $(BUILD)/unsynced/aish_history.so
	@BUILD='$(BUILD)' POWER_CUTS='$(POWER_CUTS)' POWER_SELFTEST='$(POWER_SELFTEST)' LAZYFS='$(LAZYFS)' \
	  POWER_KERNEL='$(POWER_KERNEL)' spec/power/run $(POWER)

TSAN = -O1 -g -fsanitize=thread
tsan: deps ## Run two Lua states in two threads under ThreadSanitizer
	@$(MAKE) $(QUIET) BUILD='$(BUILD)/tsan' CC=gcc CFLAGS='$(TSAN)' all
	@gcc $(TSAN) $(addprefix -I,$(LUA_INCDIR)) -o '$(BUILD)/tsan/threads' spec/threads/main.c \
	  $(SOURCES:csrc/%.c=$(BUILD)/tsan/%.o) $$(pkg-config --libs lua5.1) -lm -lpthread
	@directory=$$(mktemp -d) && trap 'rm -rf "$$directory"' EXIT && \
	  '$(BUILD)/tsan/threads' spec/threads/script.lua "$$directory" && echo "No races."

fuzz: ## Fuzz each target of spec/fuzz under libFuzzer and AFL++ for FUZZ_SECONDS=60 (FUZZ="scan codec": only these)
	@.ci/deps build fuzz
	@for engine in libfuzzer afl replay; do \
	  $(MAKE) -s -f spec/fuzz/Makefile BUILD='$(BUILD)' ENGINE=$$engine $(if $(FUZZ),TARGETS='$(FUZZ)') all || exit 1; done
	@BUILD='$(BUILD)' FUZZ_SECONDS='$(or $(FUZZ_SECONDS),60)' spec/fuzz/run $(FUZZ)

# The inputs of spec/fuzz/seeds are replayed by spec/project/fuzz_spec.lua.
replay: FORCE
	@$(MAKE) -s -f spec/fuzz/Makefile BUILD='$(BUILD)' ENGINE=replay all

asan: deps ## Run the specs under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) SUITES=asan test

valgrind: deps ## Run the specs under valgrind, but for those that are too slow there
	@.ci/deps valgrind
	@$(MAKE) $(QUIET) BUILD='$(BUILD)/valgrind' CFLAGS='-O1 -g' all '$(BUILD)/valgrind/faults/aish_history.so'
	@BUILD='$(BUILD)/valgrind' TESTS='$(TESTS)' spec/run/suites valgrind

coverage: deps ## Say which lines and branches of csrc the specs do not reach
	@.ci/deps coverage
	@$(MAKE) $(QUIET) BUILD='$(BUILD)/coverage' CC=gcc CFLAGS='-O0 -g --coverage -fprofile-update=atomic' \
	  all '$(BUILD)/coverage/faults/aish_history.so'
	@find '$(BUILD)/coverage' -name '*.gcda' -delete
	@BUILD='$(BUILD)/coverage' TESTS='$(TESTS)' spec/run/suites coverage

# The module on the system calls of spec/faults, which a spec can make fail. It stands in faults/
# beside the module that the other specs run against.
$(BUILD)/faults/aish_history.so: FORCE
	@$(MAKE) BUILD='$(@D)' SEAM=spec/faults/seam.c \
	  CPPFLAGS="$(CPPFLAGS) -DSYS_SEAM='\"seam.h\"' -Ispec/faults" all

# The module on the system calls of spec/schedules, each of which waits for its turn. A reader whose
# records were undone asks for the lock the first time already.
$(BUILD)/schedules/aish_history.so: FORCE
	@$(MAKE) BUILD='$(@D)' SEAM=spec/schedules/gate.c \
	  CPPFLAGS="$(CPPFLAGS) -DMEMORY_TRIES=1 -DSYS_SEAM='\"seam.h\"' -Ispec/faults" all

# The module without its syncs, whose losses are to be noticed.
$(BUILD)/unsynced/aish_history.so: FORCE
	@$(MAKE) BUILD='$(@D)' CPPFLAGS="$(CPPFLAGS) -DSYS_SEAM='\"unsynced.h\"' -Ispec/power" all

# What the specs use of luaposix, for a Lua that has none.
$(BUILD)/posix.so: spec/support/posix.c $(BUILD)/compile.command
	$(COMPILE) -D_GNU_SOURCE $(SHARED) -fvisibility=default -o $@ $<

# The module under AddressSanitizer and UndefinedBehaviorSanitizer, in a directory of its own. The
# latter's library is linked in, since beside the former's it would not write its reports to a file.
$(BUILD)/asan/aish_history.so: FORCE
	@$(MAKE) BUILD='$(BUILD)/asan' CC=gcc LDFLAGS='-static-libubsan -Wl,--exclude-libs,ALL' \
	  CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all' \
	  all '$(BUILD)/asan/faults/aish_history.so'

bench: bench-deps ## Measure against the machine's limits and the peers (QUICK=1: in under a minute)
	@$(MAKE) -s all
	@$(MAKE) -s -f spec/bench/Makefile BUILD='$(BUILD)' LUA_INCDIR='$(LUA_INCDIR)' CFLAGS='$(CFLAGS)' run

bench-deps: ## Install what the benchmark measures against; what cannot be installed is left out
	@.ci/deps build
	@.ci/deps bench || echo "The benchmark goes on without them."

# What costs the C of the specs more than it tells: results of fprintf, sums of small sizes, doubles that
# are compared bit by bit, functions that the compiler's coverage calls, marks that are looked for, and a
# macro that checks, which counts as a branch.
TESTS_CHECKS = -cert-err33-c,-bugprone-implicit-widening-of-multiplication-result,-cert-exp42-c,-cert-flp37-c,-bugprone-suspicious-memory-comparison,-bugprone-reserved-identifier,-misc-misleading-bidirectional,-readability-function-cognitive-complexity
lint: ## Check the code with cppcheck, clang-tidy, luacheck and shellcheck
	@.ci/deps build lint
	cppcheck --quiet --std=c11 --enable=warning,style,performance,portability --inline-suppr \
	  --suppressions-list=.cppcheck-suppressions --error-exitcode=1 -USYS_SEAM -Icsrc -Ispec/fuzz -Ispec/faults \
	  $(CPPFLAGS) csrc spec
	printf '%s\n' $(SOURCES) | xargs -P $(CORES) -I{} \
	  clang-tidy --quiet --warnings-as-errors='*' {} -- -std=c11 -Icsrc $(addprefix -I,$(LUA_INCDIR)) $(CPPFLAGS)
	printf '%s\n' $(filter-out %/sqlite.c,$(TESTS_C)) | xargs -P $(CORES) -I{} clang-tidy --quiet --checks='$(TESTS_CHECKS)' \
	  --warnings-as-errors='*' {} -- -std=c11 -D_GNU_SOURCE= -Icsrc -Ispec/fuzz -Ispec/faults \
	  $(addprefix -I,$(LUA_INCDIR)) $(CPPFLAGS)
	luacheck --quiet --no-color csrc lua spec .luacheckrc
	shellcheck $$(grep -rlE --exclude='*.lua' '^#!/bin/(ba)?sh' .ci spec)

format: ## Format the C code in place
	@.ci/deps lint
	clang-format -i $(SOURCES) $(HEADERS) $(TESTS_C) $(TESTS_H)

format-check: ## Say where the C code is not formatted
	@.ci/deps lint
	clang-format --dry-run --Werror $(SOURCES) $(HEADERS) $(TESTS_C) $(TESTS_H)

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "make %-13s %s\n", $$1, $$2 }'
