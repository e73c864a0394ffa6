# aish_history: crash-safe session logs and memories for the aish shell. `make help` lists the targets.

BUILD       ?= build
PREFIX      ?= /usr/local
LUA_VERSION ?= 5.1
LUA_INCDIR  ?= $(patsubst -I%,%,$(firstword $(shell \
  for lua in luajit lua5.1 lua-5.1 lua51; do pkg-config --cflags-only-I $$lua 2>/dev/null && break; done)))

CFLAGS   ?= -O2 -g
WARNINGS ?= -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
  -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla $(if $(filter 1,$(WERROR)),-Werror)

# What the code needs, whatever the flags above are set to.
COMPILE = $(CC) -std=c11 -D_FILE_OFFSET_BITS=64 -fPIC -fvisibility=hidden $(addprefix -I,$(LUA_INCDIR)) -Icsrc $(CPPFLAGS) $(WARNINGS) $(CFLAGS)
SHARED  = -shared
SUITES ?= luajit lua5.1 asan
ifeq ($(shell uname -s),Darwin)
SHARED  = -bundle -undefined dynamic_lookup
SUITES  = luajit
endif

SOURCES = $(wildcard csrc/*.c csrc/*/*.c)
HEADERS = $(wildcard csrc/*.h csrc/*/*.h)
OBJECTS = $(SOURCES:csrc/%.c=$(BUILD)/%.o) $(patsubst %.c,$(BUILD)/%.o,$(notdir $(SEAM)))
MODULE  = $(BUILD)/aish_history.so
LUADIR  = $(DESTDIR)$(PREFIX)/share/lua/$(LUA_VERSION)
LIBDIR  = $(DESTDIR)$(PREFIX)/lib/lua/$(LUA_VERSION)

.PHONY: fuzz replay asan valgrind coverage all install uninstall clean help deps demo test soak schedules tsan bench bench-deps lint format format-check FORCE
MAKEFLAGS += --no-print-directory

all: $(MODULE) ## Build build/aish_history.so (the default; WERROR=1: warnings are errors)

$(MODULE): $(OBJECTS)
	$(CC) $(SHARED) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lm

$(BUILD)/%.o: csrc/%.c
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: spec/faults/%.c
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: spec/schedules/%.c
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

-include $(OBJECTS:.o=.d)

install: all ## Install below PREFIX=/usr/local (with DESTDIR before it, for LUA_VERSION=5.1)
	mkdir -p "$(LUADIR)" "$(LIBDIR)"
	install -m 644 lua/history.lua "$(LUADIR)/history.lua"
	install -m 755 $(MODULE) "$(LIBDIR)/aish_history.so"

uninstall: ## Remove what install put there
	rm -f "$(LUADIR)/history.lua" "$(LIBDIR)/aish_history.so"

clean: ## Remove what was built
	rm -rf $(BUILD)

deps: ## Install what building and testing need and this machine lacks
	@.ci/deps build test

demo: ## Play a short session of the shell on real files
	@.ci/deps build
	@$(MAKE) -s all
	@export LUA_PATH='$(CURDIR)/lua/?.lua;;' LUA_CPATH="$$(cd '$(BUILD)' && pwd)/?.so;;"; \
	  cd "$$(mktemp -d)" && trap 'rm -rf "$$PWD"' EXIT && luajit '$(CURDIR)/spec/run/demo.lua'

test: deps ## Run the specs under LuaJIT, Lua 5.1 and sanitizers (TESTS=spec/x_spec.lua: only these)
	@$(MAKE) all $(BUILD)/faults/aish_history.so $(BUILD)/schedules/aish_history.so $(if $(filter asan,$(SUITES)),$(BUILD)/asan/aish_history.so)
	@BUILD='$(BUILD)' TESTS='$(TESTS)' spec/run/suites $(SUITES)

soak: deps ## Kill writers at random moments, for thousands of rounds
	@$(MAKE) all
	@SOAK=1 BUILD='$(BUILD)' TESTS=spec/promises/kill_spec.lua spec/run/suites luajit

schedules: deps ## Play every small schedule of processes and faults, then others by chance for SECONDS=60 (SEED=1)
	@$(MAKE) '$(BUILD)/schedules/aish_history.so'
	@export AISH_HISTORY_CPATH='$(BUILD)' && luajit spec/schedules/run.lua && \
	  seq $(or $(SEED),1) $$(($(or $(SEED),1) + $$(getconf _NPROCESSORS_ONLN) - 1)) | \
	    xargs -P 0 -I{} luajit spec/schedules/run.lua --seconds $(or $(SECONDS),60) --seed {}

TSAN = -O1 -g -fsanitize=thread
tsan: deps ## Run two Lua states in two threads under ThreadSanitizer
	@$(MAKE) -s BUILD='$(BUILD)/tsan' CC=gcc CFLAGS='$(TSAN)' all
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
	@$(MAKE) BUILD='$(BUILD)/valgrind' CFLAGS='-O1 -g' all '$(BUILD)/valgrind/faults/aish_history.so'
	@BUILD='$(BUILD)/valgrind' TESTS='$(TESTS)' spec/run/suites valgrind

coverage: deps ## Say which lines and branches of csrc the specs do not reach
	@.ci/deps coverage
	@$(MAKE) BUILD='$(BUILD)/coverage' CC=gcc CFLAGS='-O0 -g --coverage -fprofile-update=atomic' \
	  all '$(BUILD)/coverage/faults/aish_history.so'
	@find '$(BUILD)/coverage' -name '*.gcda' -delete
	@BUILD='$(BUILD)/coverage' TESTS='$(TESTS)' spec/run/suites coverage

# The module on the system calls of spec/faults, which a spec can make fail. It stands in faults/
# beside the module that the other specs run against.
$(BUILD)/faults/aish_history.so: FORCE
	@$(MAKE) BUILD='$(@D)' SEAM=spec/faults/seam.c \
	  CPPFLAGS="$(CPPFLAGS) -DSYS_SEAM='\"seam.h\"' -Ispec/faults" all

# The module on the system calls of spec/schedules, each of which waits for its turn.
$(BUILD)/schedules/aish_history.so: FORCE
	@$(MAKE) BUILD='$(@D)' SEAM=spec/schedules/gate.c \
	  CPPFLAGS="$(CPPFLAGS) -DSYS_SEAM='\"seam.h\"' -Ispec/faults" all

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

lint: ## Check the code with cppcheck, clang-tidy, luacheck and shellcheck
	@.ci/deps build lint
	cppcheck --quiet --std=c11 --enable=warning,style,performance,portability --inline-suppr \
	  --suppressions-list=.cppcheck-suppressions --error-exitcode=1 -USYS_SEAM -Icsrc $(CPPFLAGS) csrc
	printf '%s\n' $(SOURCES) | xargs -P "$$(getconf _NPROCESSORS_ONLN)" -I{} \
	  clang-tidy --quiet --warnings-as-errors='*' {} -- -std=c11 -Icsrc $(addprefix -I,$(LUA_INCDIR)) $(CPPFLAGS)
	luacheck --quiet --no-color lua spec .luacheckrc
	shellcheck .ci/run .ci/deps spec/run/suites spec/fuzz/run

format: ## Format the C code in place
	@.ci/deps lint
	clang-format -i $(SOURCES) $(HEADERS)

format-check: ## Say where the C code is not formatted
	@.ci/deps lint
	clang-format --dry-run --Werror $(SOURCES) $(HEADERS)

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "make %-13s %s\n", $$1, $$2 }'
