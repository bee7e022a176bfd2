# SPDX-License-Identifier: GPL-2.0-or-later
#   sudo make run      install what is missing, build, record until Ctrl+C
#   sudo make check    install what is missing, build, run every test
#   make               build build/iotrc
#   make check-kernels the live tests on other kernels, under emulation (needs Debian or a kin of it)
#   make check-service as a service of a real systemd (needs Debian or a kin of it; root)
#   make check-python  the loader, with other versions of pandas, and docs/loading.md's other readers (root)
#   make check-report check-run-proof  iotrc report in a browser: its numbers, charts, keys, hostile names (root)
#   make check-examples  runs each example of README, docs and help texts unchanged (root)
#   make check-nx      iotrc check against a real workspace of nx (root)
#   make check-fleet   a lake of a fleet's sessions, in an S3 store, and the engines that read it (root)
#   make check-faults  recorders that are killed, disks that fail (root)
#   make check-dtrace  the scripts for DTrace, with DTrace for Linux (root)
#   make check-arm64   builds for arm64, with a cross compiler, and runs the unit tests; make arm64 only builds
#   make docs          the pages of docs/ and the iotrc.conf that are generated from the tables
#   make bench         speed compared with peers and with the minimum possible (root)
#   make bench-all     the same, also for each operation; writes the docs and bench/results.json (root)
#   make bench-workloads  how much longer whole programs take: find, tar, git, make, databases, servers, fio (root)
#   make bench-run     iotrc run beside strace and an LD_PRELOAD, around a build (root)
#   make bench-own     what a row costs the recorder itself, by thread, on whole programs (root)
#   make bench-rows    the cost of a row from the record to the file; fails if it has grown
#   make bench-bpf     the cost of the BPF programs, compared with BEFORE=build/iotrc of another checkout (root)
#   make bench-growth  how that grows with threads, files, depth of paths and rate of calls (root)
#   make bench-hour    how a recording changes within an hour (root)
#   make bench-limits  the rate at which rows are lost; a start, an idle minute, the first snapshot (root)
#   make bench-fleet   one query on lakes of FLEET_SIZES, and the speed of an export (root)
#   make bench-report  iotrc report compared with DuckDB; make bench-summary: iotrc summary
#   make bench-summary-live  a live summary compared with a recording of the same load (root)
#   make install       PREFIX=/usr/local, DESTDIR; make uninstall
#   make deb           a Debian package, in build/deb
#   make podman-build podman-up podman-logs podman-down podman-test  in a container: docs/containers.md
# V=1 shows the commands, DEBUG=1 builds for gdb, WERROR=1 makes warnings errors,
# SANITIZE=address,undefined builds with sanitizers, BUILD=dir builds elsewhere.

SHELL := /bin/bash
# Targets that build a lot use all CPUs unless -j is given.
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell getconf _NPROCESSORS_ONLN))
comma := ,
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

VERSION := 0.1.0
COMMIT ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)

BUILD ?= build
# Linux, or macOS' Darwin.
SYSTEM ?= $(shell uname -s)
PREFIX ?= /usr/local
CC := $(if $(filter Darwin,$(SYSTEM)),cc,gcc)
CLANG ?= clang
# /usr/sbin may not be in PATH, and Ubuntu's bpftool works only for the running kernel.
BPFTOOL ?= $(or $(firstword $(shell for b in bpftool /usr/sbin/bpftool /usr/lib/linux-tools/*/bpftool; do \
	$$b version >/dev/null 2>&1 && echo $$b; done; true)),bpftool)
ARCH := $(shell uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/')

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n' $(1) $(2)
endif

WARN := -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wvla \
	$(if $(WERROR),-Werror)
OPT := $(if $(DEBUG),-O0,-O2)
SAN := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# Hardening; with sanitizers only what does not interfere with them. HARDEN= disables it. Without
# optimisation the C library can check no sizes. glibc says what it makes of 3 where the compiler hasn't got it.
HARDEN ?= $(if $(SANITIZE),,-fstack-protector-strong $(if $(DEBUG),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(FORTIFY)) \
	$(if $(filter Linux,$(SYSTEM)),-fstack-clash-protection \
		$(if $(filter x86,$(ARCH)),-fcf-protection) $(if $(filter arm64,$(ARCH)),-mbranch-protection=standard)))
FORTIFY := $(if $(shell printf '\#include <stdio.h>\n' | \
	$(CC) $(EXTRA_CFLAGS) -O2 -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -E - 2>&1 >/dev/null),2,3)
HARDEN_LD := -Wl,-z,relro,-z,now,-z,noexecstack
# The program contains no path of this machine, so it is the same wherever it is built (make check-build).
MAP := -ffile-prefix-map=$(CURDIR)=.
ifeq ($(SYSTEM),Darwin)
# The libraries are Homebrew's; curl is the system's. libc.h has what macOS' C library lacks.
BREW_LIBRARIES := jansson libpcre2-8 libzstd libcrypto libmicrohttpd ncursesw
BREW := $(shell brew --prefix 2>/dev/null)
export PKG_CONFIG_PATH := $(BREW)/opt/openssl@3/lib/pkgconfig:$(BREW)/opt/ncurses/lib/pkgconfig:$(PKG_CONFIG_PATH)
DARWIN_CFLAGS := -include src/platform/libc.h -D_DARWIN_C_SOURCE -Wno-deprecated-declarations -Wno-parentheses \
	$(shell pkg-config --cflags $(BREW_LIBRARIES))
endif
CFLAGS := -std=gnu11 -g $(OPT) $(SAN) -fPIE $(HARDEN) $(MAP) $(WARN) -pthread -I. -Isrc -I$(BUILD) \
	-D_GNU_SOURCE $(if $(DEBUG)$(SANITIZE),-DCHECK_COLUMNS) -DIOTRC_VERSION='"$(VERSION)"' $(DARWIN_CFLAGS) $(EXTRA_CFLAGS)
STATIC_LDLIBS := $(HARDEN_LD) $(EXTRA_LDFLAGS) -lbpf -lelf -lz -lzstd -ljansson -lcrypto -lseccomp -lpcre2-8 -pthread
# Weak symbols whose libraries cannot be linked statically: uploader/target_kind.h, report/serve.h,
# metrics/listener.h, commands/top_screen.h.
LDLIBS := -pie -Wl,-u,target_s3,-u,target_gateway,-u,report_server,-u,listener__new,-u,top_screen__run $(STATIC_LDLIBS) -lcurl -lmicrohttpd \
	$(or $(shell pkg-config --libs ncursesw 2>/dev/null),-lncursesw -ltinfo)
# The kernel's headers for $(ARCH); a cross compiler's are elsewhere.
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
ifeq ($(SYSTEM),Darwin)
LDLIBS := $(foreach s,target_s3 target_gateway report_server listener__new top_screen__run,-Wl$(comma)-u$(comma)_$(s)) \
	$(EXTRA_LDFLAGS) $(shell pkg-config --libs $(BREW_LIBRARIES)) -lcurl -framework IOKit -framework CoreFoundation
endif
BPF_CFLAGS := -g -O2 $(MAP) -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -I. -I$(BUILD) \
	-idirafter /usr/include/$(MULTIARCH) -idirafter /usr/$(MULTIARCH)/include -Wall \
	-Wno-unused-function -Wno-gnu-variable-sized-type-not-at-end $(if $(WERROR),-Werror)

# Recording with BPF, and other code that needs a Linux kernel.
OF_LINUX := src/engine/bpf/%.c src/commands/doctor.c src/commands/self_test.c
SRC := $(wildcard src/*.c src/*/*.c src/*/*/*.c schema/*.c snappers/*.c uploader/*.c)
SRC := $(if $(filter Darwin,$(SYSTEM)),$(filter-out $(OF_LINUX),$(SRC)),$(SRC))
OBJ := $(SRC:%.c=$(BUILD)/%.o)
LIB := $(BUILD)/libiotrc.a
# All programs, compiled for old kernels and for kernels from 6.2 on (bpf/helpers.h).
BPF_OBJECTS := $(BUILD)/bpf/iotrc.bpf.o $(BUILD)/bpf/iotrc_6_2.bpf.o
SKEL := $(if $(filter Linux,$(SYSTEM)),$(BUILD)/iotrc.skel.h $(BUILD)/iotrc_6_2.skel.h)
TESTS := $(wildcard tests/unit/*.c)
WORKLOADS := $(patsubst tests/workloads/%.c,$(BUILD)/workloads/%,$(wildcard tests/workloads/*.c)) \
	$(addprefix $(BUILD)/workloads/,failing_malloc.so stepped_clock.so refused_program.so treefs)

.PHONY: sources check-manifests podman-build podman-up podman-down podman-logs podman-test FORCE all arm64 asan soak static run docs workloads bench bench-all bench-bpf bench-fleet bench-growth bench-hour bench-limits bench-lineage bench-load bench-own bench-programs bench-record bench-report bench-rows bench-run bench-summary bench-summary-live bench-workloads install uninstall deb clean deps
.PHONY: check check-analyze check-asan-trees check-bpf-alone check-bpf-stack check-build check-circles check-asan-live check-tsan check-tsan-unit check-arm64 check-asan check-docs check-dtrace check-examples check-faults check-fleet check-fuzz check-kernels check-live check-nx check-loader check-macos check-metrics check-packages check-portable check-python check-report check-run-proof check-service check-static check-style check-suites check-unit check-upload check-valgrind
all: $(BUILD)/iotrc

# The commit is in the manifest: rebuilt when it changes, not at each build.
$(BUILD)/commit.h: FORCE
	@mkdir -p $(@D); echo '#define IOTRC_COMMIT "$(COMMIT)"' | cmp -s - $@ || echo '#define IOTRC_COMMIT "$(COMMIT)"' > $@
# … and everything is rebuilt when the flags change, so that no object has old ones.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D); f="$(subst ",,$(filter-out -Werror,$(CC) $(CFLAGS)))"; \
	echo "$$f" | cmp -s - $@ || echo "$$f" > $@
FORCE:
# For make check-portable.
sources:
	@echo $(SRC)

# [number] = "name" of each system call that the headers know; of other architectures' 32-bit programs none.
$(BUILD)/syscall_names_native.h: HEADER := asm/unistd.h
$(BUILD)/syscall_names_compat.h: HEADER := $(if $(filter x86,$(ARCH)),asm/unistd_32.h)
$(BUILD)/syscall_names_%.h:
	@mkdir -p $(@D)
	$(Q)echo '$(if $(HEADER),#include <$(HEADER)>)' | $(CC) $(EXTRA_CFLAGS) -E -dM - | \
		sed -nE '/__NR_(syscalls|arch_specific_syscall) /d; s/^#define __NR_([a-z_][a-z0-9_]*) .*/[__NR_\1] = "\1",/p' > $@
$(BUILD)/src/engine/bpf/syscalls_native.o: $(BUILD)/syscall_names_native.h
$(BUILD)/src/engine/bpf/syscalls_compat.o: $(BUILD)/syscall_names_compat.h
# Our nx script, as a string.
$(BUILD)/nx_script.h: src/commands/nx.js
	@mkdir -p $(@D); sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $< > $@
$(BUILD)/src/commands/check_nx.o: $(BUILD)/nx_script.h
# … and our DTrace scripts.
$(BUILD)/dtrace_scripts.h: $(wildcard dtrace/*.d)
	@mkdir -p $(@D); for f in $^; do n=$${f##*/}; echo "static const char dtrace_$${n%.d}[] ="; \
		sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $$f; echo ';'; done > $@
$(BUILD)/src/engine/macos/dtrace.o: $(BUILD)/dtrace_scripts.h
# All files with BPF programs, which form one object.
$(BUILD)/bpf_programs.h: PROGRAMS := $(filter-out bpf/iotrc.bpf.c,$(sort $(wildcard bpf/*.bpf.c)))
$(BUILD)/bpf_programs.h: FORCE
	@mkdir -p $(@D); h="$$(printf '#include "%s"\n' $(PROGRAMS))"; echo "$$h" | cmp -s - $@ || echo "$$h" > $@
# Other kinds of builds use the BPF programs of this one.
ifdef PROGRAMS_OF
$(BUILD)/%.skel.h: $(PROGRAMS_OF)/%.skel.h
	@mkdir -p $(@D); cp $< $@
else
$(BPF_OBJECTS): bpf/iotrc.bpf.c $(BUILD)/bpf_programs.h
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -DFROM_6_2=$(if $(findstring 6_2,$@),1,0) -MMD -MP -c $< -o $@
$(BUILD)/%.skel.h: $(BUILD)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q){ echo '/* NOLINTBEGIN: bpftool wrote it */'; $(BPFTOOL) gen skeleton $< name $*_bpf && echo '/* NOLINTEND */'; } > $@
endif
OTHER_BUILD = $(MAKE) --no-print-directory $(JOBS) PROGRAMS_OF=$(BUILD)

# The parts of the page of `iotrc report`, as arrays. The chart library comes from npm (scripts/fetch-uplot.sh);
# each file is in an array with a NUL behind it. (macOS' od writes more blanks than GNU's.)
PAGE_PARTS := uplot_js:$(BUILD)/uplot/uPlot.iife.min.js uplot_css:$(BUILD)/uplot/uPlot.min.css \
	uplot_licence:$(BUILD)/uplot/LICENSE report_html:src/report/page/report.html report_css:src/report/page/report.css \
	report_js:$(BUILD)/report.js
$(BUILD)/uplot/uPlot.iife.min.js: scripts/fetch-uplot.sh
	$(call say,FETCH,uPlot)
	$(Q)scripts/fetch-uplot.sh $(@D)
$(BUILD)/report.js: $(foreach f,data charts tables errors state filters head time_cards latency_cards place_cards table_cards page,src/report/page/$(f).js)
	$(Q)cat $^ > $@
$(BUILD)/report_page.h: $(BUILD)/uplot/uPlot.iife.min.js $(BUILD)/report.js $(wildcard src/report/page/*) Makefile
	$(call say,GEN,$@)
	$(Q)for p in $(PAGE_PARTS); do echo "static const char page_$${p%%:*}[] = {"; \
		od -An -v -tx1 $${p#*:} | sed 's/ *\([0-9a-f][0-9a-f]\) */0x\1,/g'; echo '0};'; done > $@
$(BUILD)/src/report/page.o: $(BUILD)/report_page.h
$(BUILD)/%.o: %.c $(BUILD)/flags | $(SKEL) $(BUILD)/commit.h
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@
$(LIB): $(filter-out $(BUILD)/src/main.o,$(OBJ))
	$(call say,AR,$@)
	@rm -f $@
	$(Q)ar rcs $@ $^
$(BUILD)/iotrc: $(BUILD)/src/main.o $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $^ $(LDLIBS) -o $@

# Loops that every row passes: 11 % less time (docs/performance.md, "A row of real work").
$(foreach f,row_matches zstd_block,$(BUILD)/src/dataset/$(f).o): private CFLAGS += $(if $(DEBUG),,-O3)
# Without optimisation they take less than half the time to compile.
# clang warns about the comparisons inside criterion's macros, gcc does not.
$(BUILD)/tests/unit/%.o: private CFLAGS += -O0 -U_FORTIFY_SOURCE $(if $(findstring clang,$(CC)),-Wno-sign-compare)
$(BUILD)/unit-tests: $(TESTS:%.c=$(BUILD)/%.o) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $^ $(LDLIBS) -lcriterion -o $@
$(BUILD)/workloads/%: tests/workloads/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -g -O1 $(WARN) -D_GNU_SOURCE -pthread $< -o $@
# Static, so that an LD_PRELOAD has no effect on them.
$(BUILD)/workloads/run_ways: override CC := $(CC) -static
# On arm64 only an arm program can make arm's calls. (On x86-64 see calls32.h.)
ARM = $(if $(filter arm64,$(ARCH)),$(shell command -v arm-linux-gnueabihf-gcc))
$(BUILD)/workloads/compat: override CC := $(or $(addsuffix $() -static,$(ARM)),$(CC))
$(BUILD)/workloads/%.so: tests/live/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -g -O2 -shared -fPIC $(WARN) -D_GNU_SOURCE $< -o $@
# A filesystem for tests, linked statically if possible, because the test machines do not have the library.
TREEFS_LIBS = $(or $(filter /%,$(shell $(CC) $(EXTRA_CFLAGS) -print-file-name=libfuse3.a)),-lfuse3) -ldl
$(BUILD)/workloads/treefs: $(wildcard tests/treefs/*.[ch])
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -g -O1 $(WARN) -D_GNU_SOURCE $(EXTRA_CFLAGS) -I. -pthread $(filter %.c,$^) $(TREEFS_LIBS) -o $@
workloads: $(WORKLOADS)

deps:
	@scripts/install-deps.sh run
	@scripts/install-deps.sh page || echo 'Reports will have no charts.'
run: deps
	@$(MAKE) --no-print-directory $(JOBS) all
	@$(BUILD)/iotrc

# The tests of the loader and of macOS' engines run together with the live ones, which mostly wait, and the unit tests
# beside them.
check:
	@scripts/install-deps.sh check
	@$(MAKE) --no-print-directory $(JOBS) all workloads $(BUILD)/unit-tests $(BUILD)/gen-docs
	@$(MAKE) --no-print-directory $(JOBS) check-docs check-unit check-live LIVE_TESTS="$(CHECK_TESTS)"
CHECK_TESTS = $(LOADER_TESTS) $(MACOS_TESTS) $(LIVE_TESTS) $(if $(filter tests/live,$(LIVE_TESTS)),$(EXAMPLES:%=--ignore %))
# How each target runs pytest: with RETRY=1 a test that fails runs once more, and the end of the log names it.
PYTESTS = WORKERS=1 RETRY=$(RETRY) tests/run.py $(BUILD)/results-$@
# The engines of macOS, with programs that imitate the output of Apple's.
DTRACE_TESTS = tests/macos/test_dtrace.py tests/macos/test_dtrace_drops.py
MACOS_TESTS = tests/macos $(DTRACE_TESTS:%=--ignore %)
check-macos: all
	$(call say,TEST,'what DTrace and its kin write')
	$(Q)IOTRC=$(abspath $(BUILD)/iotrc) $(PYTESTS) --workers 2 $(MACOS_TESTS)
# Debian sid's DTrace on this kernel: its rows are compared with strace and with the device's counters (root).
check-dtrace: all
	@scripts/install-deps.sh check
	@scripts/install-deps.sh dtrace
	$(call say,TEST,'DTrace for Linux')
	$(Q)root=$$(scripts/vm/fetch-debian.sh sid dtrace strace) && DTRACE_ROOT=$$root IOTRC=$(abspath $(BUILD)/iotrc) \
		$(PYTESTS) $(DTRACE_TESTS)
# Other projects' test suites from Debian packages, and our own programs of unusual calls, compared with strace.
check-suites: all workloads
	@scripts/install-deps.sh check
	@scripts/install-deps.sh suites
	$(call say,TEST,'suites of others')
	$(Q)IOTRC=$(abspath $(BUILD)/iotrc) WORKLOADS=$(abspath $(BUILD)/workloads) $(PYTESTS) \
		tests/suites tests/live/test_fs_strace.py tests/live/test_nameless.py tests/live/test_aio_end.py tests/live/test_waiting.py
# Runs each example of README, docs and help texts unchanged, and each line of docs/watch.md's table (root).
EXAMPLES = tests/live/test_examples.py tests/live/test_watch_table.py
check-examples:
	@scripts/install-deps.sh check
	@$(MAKE) --no-print-directory check-live LIVE_TESTS="$(EXAMPLES)"
# iotrc run with common build tools, including those that need node and packages of npm.
check-run-proof:
	@scripts/install-deps.sh check
	@scripts/install-deps.sh proof
	@IOTRC_NODE=$(NPM_DIR)/proof $(MAKE) --no-print-directory check-live LIVE_TESTS=tests/live/test_run_proof.py
NPM_DIR = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/iotrc/npm
# Compiles each file of bpf/ by itself, so that none depends on what another one includes before it.
check-bpf-alone: $(BUILD)/bpf_programs.h
	$(call say,TEST,'each file of bpf/ compiles alone')
	$(Q)! grep -n '^#include .*\.c"' bpf/*.h
	$(Q)! grep -n 'bpf_probe_read_user' bpf/* | grep -v '^bpf/uread.h'
	$(Q)ok=1; for f in bpf/*.h bpf/*.c; do \
		for from in 0 1; do $(CLANG) $(BPF_CFLAGS) -DFROM_6_2=$$from -Werror -x c -fsyntax-only $$f || ok=; done; \
		done; [[ $$ok ]]
# The stack that the calls of each program take is what every kernel gives them.
check-bpf-stack: $(BPF_OBJECTS)
	$(call say,TEST,'stack of the BPF programs')
	$(Q)scripts/check-bpf-stack.py $^
# Compiles portable code with macOS' own headers, which are cached in PORTABLE.
PORTABLE ?= $(HOME)/.cache/iotrc/macos
check-portable: $(BUILD)/commit.h $(BUILD)/nx_script.h $(BUILD)/dtrace_scripts.h $(BUILD)/report_page.h
	@scripts/install-deps.sh portable
	$(call say,TEST,'compiles without Linux')
	$(Q)BUILD=$(BUILD) CLANG=$(CLANG) tests/portable/check.py $(PORTABLE)
# No files of the program use each other in a circle.
check-circles: $(OBJ)
	$(call say,TEST,'no files in a circle')
	$(Q)scripts/check-circles.py $^
# Checks that a compiler does not do: order of folders, style, lengths, commit subjects; circles of files; each file of
# bpf/ alone, and the stack of the programs.
check-style:
	@scripts/install-deps.sh style
	$(call say,TEST,style)
	$(Q)scripts/check-style.py
	@$(MAKE) --no-print-directory check-circles check-bpf-alone check-bpf-stack
check-unit: $(BUILD)/unit-tests
	$(call say,TEST,unit)
	$(Q)$(BUILD)/unit-tests
# One build by clang is for the unit tests, the program before hostile trees, and the fuzzers.
MAKE_ASAN = $(OTHER_BUILD) BUILD=$(BUILD)-asan CC=$(CLANG) SANITIZE=fuzzer-no-link,address,undefined
# A leak leaves criterion's exit code at 0: the sanitizers' logs decide.
# One job: with several, criterion 2.4.1's own runner leaks 48 bytes now and then.
asan: $(SKEL)
	@scripts/install-deps.sh fuzz
	$(Q)$(MAKE_ASAN) $(BUILD)-asan/unit-tests
check-asan: asan
	$(call say,TEST,'unit under AddressSanitizer and UBSan')
	$(Q)rm -f $(BUILD)-asan/log.*; \
	log=$(abspath $(BUILD)-asan)/log; \
	ASAN_OPTIONS=log_path=$$log UBSAN_OPTIONS=log_path=$$log:print_stacktrace=1 $(BUILD)-asan/unit-tests --jobs 1; \
	code=$$?; if ls $(BUILD)-asan/log.* >/dev/null 2>&1; then cat $(BUILD)-asan/log.*; exit 1; fi; exit $$code
# The program itself under them, on trees of long names, FIFOs, links and devices (root).
check-asan-trees: workloads $(SKEL)
	@scripts/install-deps.sh fuzz
	$(call say,TEST,'hostile trees under AddressSanitizer and UBSan')
	$(Q)$(MAKE_ASAN) $(BUILD)-asan/iotrc
	$(Q)rm -f $(BUILD)-asan/tree.*; log=$(abspath $(BUILD)-asan)/tree; \
	ASAN_OPTIONS=log_path=$$log UBSAN_OPTIONS=log_path=$$log:print_stacktrace=1 IOTRC=$(abspath $(BUILD)-asan/iotrc) \
		WORKLOADS=$(abspath $(BUILD)/workloads) $(PYTESTS) \
		tests/live/test_long_names.py -k 'verify or commands or hostile'; \
	code=$$?; if ls $(BUILD)-asan/tree.* >/dev/null 2>&1; then cat $(BUILD)-asan/tree.*; exit 1; fi; exit $$code
# gcc's static analyzer and clang-tidy. Only generated files are built before. TIDY_PART=2/3: clang-tidy checks every
# third file, from the second on.
check-analyze: $(SKEL) $(BUILD)/commit.h $(BUILD)/nx_script.h $(BUILD)/dtrace_scripts.h $(BUILD)/syscall_names_native.h $(BUILD)/syscall_names_compat.h
	@scripts/install-deps.sh analyze
	$(call say,TEST,'gcc -fanalyzer and clang-tidy')
	$(Q)tests/analyze/check.sh $(BUILD) tests/analyze/known $(TIDY_PART)
# Fuzzes each of our parsers for FUZZ_SECONDS, one per CPU at a time; FUZZ="rows config" selects some. The corpus stays
# in $(BUILD)-asan/corpus; inputs that crash are in $(BUILD)-asan/crashes. A FUZZ_SEED other than 0 makes runs repeatable.
FUZZ_SECONDS ?= 60
FUZZ_SEED ?= 0
FUZZ ?= $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
check-fuzz: $(SKEL)
	@scripts/install-deps.sh fuzz
	$(call say,TEST,'what our parsers make of anything')
	$(Q)$(MAKE_ASAN) $(FUZZ:%=$(BUILD)-asan/fuzz/%)
	$(Q)tests/fuzz/run.py $(BUILD)-asan $(FUZZ_SECONDS) $(FUZZ_SEED) $(FUZZ)
$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(LIB)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -fsanitize=fuzzer $^ $(if $(filter %/treefs.o,$^),$(TREEFS_LIBS)) $(LDLIBS) -o $@
$(BUILD)/fuzz/walk: $(BUILD)/tests/treefs/treefs.o
# Real recordings under sanitizers; under ThreadSanitizer also the unit tests, as in check-asan. Both the tests and the
# sanitizers' logs decide. SANITIZED=test_read_loop.py selects other live tests.
SANITIZED ?= test_conn.py test_block.py test_watchdog.py test_privileges.py
check-tsan: check-tsan-unit
check-tsan check-asan-live: workloads $(SKEL)
	$(call say,TEST,'live with sanitizers: $(SANITIZED)')
	$(Q)$(OTHER_BUILD) BUILD=$(BUILD)-$@ SANITIZE=$(if $(filter check-tsan,$@),thread,address$(comma)undefined) $(BUILD)-$@/iotrc
	$(Q)rm -f $(BUILD)-$@/log.*; log=$(abspath $(BUILD)-$@)/log; \
	export TSAN_OPTIONS=log_path=$$log \
		ASAN_OPTIONS=log_path=$$log:detect_leaks=1 UBSAN_OPTIONS=log_path=$$log:print_stacktrace=1; \
	IOTRC=$(abspath $(BUILD)-$@/iotrc) WORKLOADS=$(abspath $(BUILD)/workloads) $(PYTESTS) \
		$(SANITIZED:%=tests/live/%); \
	code=$$?; if ls $(BUILD)-$@/log.* >/dev/null 2>&1; then cat $(BUILD)-$@/log.*; exit 1; fi; exit $$code
check-tsan-unit: $(SKEL)
	$(call say,TEST,'unit under ThreadSanitizer')
	$(Q)$(OTHER_BUILD) BUILD=$(BUILD)-check-tsan SANITIZE=thread $(BUILD)-check-tsan/unit-tests-tsan
	$(Q)$(BUILD)-check-tsan/unit-tests-tsan
$(BUILD)/unit-tests-tsan: $(BUILD)/tests/tsan/unit_main.o $(TESTS:%.c=$(BUILD)/%.o) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $^ $(LDLIBS) -lcriterion -o $@

# A run of the program under valgrind: finds leaks and uninitialized values.
check-valgrind: all
	@scripts/install-deps.sh valgrind
	$(call say,TEST,'with valgrind')
	$(Q)tests/valgrind/run.sh $(BUILD)/iotrc

# Looks for anything that grows in 20 minutes of mixed load, or in SOAK_SECONDS (less than 120 show little).
SOAK_SECONDS ?= 1200
soak: all workloads
	$(call say,TEST,'for $(SOAK_SECONDS) s')
	$(Q)tests/soak/soak.py $(abspath $(BUILD)/iotrc) $(abspath $(BUILD)/workloads) $(SOAK_SECONDS)
# In parallel, except tests marked `alone`; WORKERS=1 runs one test at a time. RETRY=1 runs each test that fails once
# more, by itself: on a shared machine a recording may lose rows because of other load.
# To select tests: LIVE_TESTS="tests/live/test_conn.py -k accept"
LIVE_TESTS ?= tests/live
# A make that a test runs is none of this one's.
check-live: all workloads
	$(call say,TEST,live)
	$(Q)unset MAKEFLAGS MFLAGS MAKELEVEL; IOTRC=$(abspath $(BUILD)/iotrc) WORKLOADS=$(abspath $(BUILD)/workloads) WORKERS=$(WORKERS) RETRY=$(RETRY) \
		tests/run.py $(BUILD)/results-live $(LIVE_TESTS)

# Tests of python/iotrc.py that need only pandas; check-python runs the others, too. To select tests: make check-python
# PYTHON_TESTS=tests/python/test_recipes.py
PYTHON_TESTS ?= tests/python
LOADER_TESTS = $(addprefix tests/python/,test_full_output.py test_load.py test_refuse.py test_summary.py)
check-loader check-python: all
	$(if $(filter check-python,$@),@scripts/install-deps.sh python)
	$(call say,TEST,$@)
	$(Q)IOTRC=$(abspath $(BUILD)/iotrc) $(PYTESTS) \
		$(if $(filter check-python,$@),$(PYTHON_TESTS),$(LOADER_TESTS))

# iotrc report in Chromium. To select tests: make check-report REPORT_TESTS='-k hostile'
REPORT_TESTS ?=
check-report: all
	@scripts/install-deps.sh report
	$(call say,TEST,'reports in a browser')
	$(Q)IOTRC=$(abspath $(BUILD)/iotrc) $(PYTESTS) --tb=short tests/report $(REPORT_TESTS)

# Builds the program in two directories and compares the results. A live test checks its hardening.
check-build:
	@scripts/install-deps.sh run
	$(call say,TEST,'the same program from two directories')
	$(Q)tests/build/reproducible.sh $(abspath $(BUILD))/reproducible

# Installation of packages, scripts, pages and completions, in fresh roots of SUITES (this machine's, and one like Ubuntu's).
check-packages:
	@scripts/install-deps.sh packages
	$(call say,TEST,packages)
	$(Q)tests/packages/run.sh $(BUILD) $(SUITES)

# The live tests on other kernels, under emulation. To select: make check-kernels KERNELS=5.10 KERNEL_TESTS=test_conn.py
# RETRY=1 as in check-live; VM_CPUS=16 for machines with more CPUs.
check-kernels:
	@scripts/install-deps.sh kernels
	@$(MAKE) --no-print-directory $(JOBS) all workloads
	@$(MAKE) --no-print-directory arm64
	$(call say,TEST,'live on other kernels')
	$(Q)tests/kernels/matrix.py $(BUILD)/kernels $(abspath $(BUILD)) $(KERNELS)

# Only the static program, on those kernels.
check-static: static
	@scripts/install-deps.sh kernels
	$(call say,TEST,'the static program on other kernels')
	$(Q)tests/kernels/static.sh $(BUILD)/kernels-static $(BUILD)/iotrc-static $(KERNELS)

# iotrc as a service, under a real systemd in namespaces of this machine. To select tests: SERVICE_TESTS='-k crash'
check-service:
	@scripts/install-deps.sh service
	@$(MAKE) --no-print-directory all workloads deb
	$(call say,TEST,'as a service of systemd')
	$(Q)BUILD=$(abspath $(BUILD)) $(PYTESTS) tests/service $(SERVICE_TESTS)

# The metrics, as read by Prometheus itself (root).
check-metrics: all
	@scripts/install-deps.sh metrics
	$(call say,TEST,'metrics as Prometheus reads them')
	$(Q)IOTRC=$(abspath $(BUILD)/iotrc) $(PYTESTS) --tb=short tests/metrics

# Recorders that are killed, and disks that fill up, fail and disappear (root). To select: make check-faults KILLS=20
KILLS ?= 200
check-faults: all workloads
	@scripts/install-deps.sh check
	$(call say,TEST,'disks that fail')
	$(Q)IOTRC=$(abspath $(BUILD)/iotrc) WORKLOADS=$(abspath $(BUILD)/workloads) $(PYTESTS) --tb=short tests/faults
	$(call say,TEST,'recorders that are killed')
	$(Q)tests/faults/kills.py $(abspath $(BUILD)/iotrc) $(abspath $(BUILD)/workloads) $(KILLS)

# The uploader with real servers: Ceph, nginx, a gateway. To select tests: make check-upload UPLOAD_TESTS=tests/upload/test_s3.py
UPLOAD_TESTS ?= tests/upload
check-upload:
	@scripts/install-deps.sh upload
	@$(MAKE) --no-print-directory all workloads $(BUILD)/upload-put
	$(call say,TEST,'uploads to real servers')
	$(Q)IOTRC=$(abspath $(BUILD)/iotrc) UPLOAD_PUT=$(abspath $(BUILD)/upload-put) WORKLOADS=$(abspath $(BUILD)/workloads) \
		WORKERS=1 RETRY=$(RETRY) tests/run.py $(BUILD)/results-upload --tb=short $(UPLOAD_TESTS)
$(BUILD)/upload-put: $(BUILD)/tests/upload/put.o $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $^ $(LDLIBS) -o $@

# A lake with sessions of FLEET_MACHINES machines and FLEET_DAYS days, in a directory and in Ceph (root). To select: make
# check-fleet FLEET_TESTS=tests/fleet/test_lake.py
FLEET_TESTS ?= tests/fleet
FLEET_MACHINES ?= 20
FLEET_DAYS ?= 3
check-fleet: all
	@scripts/install-deps.sh fleet
	$(call say,TEST,'a fleet: $(FLEET_MACHINES) machines for $(FLEET_DAYS) days')
	$(Q)IOTRC=$(abspath $(BUILD)/iotrc) FLEET_MACHINES=$(FLEET_MACHINES) FLEET_DAYS=$(FLEET_DAYS) $(PYTESTS) \
		--tb=short $(FLEET_TESTS)

# iotrc check with a real nx from npm, in a directory of its own, and with other kinds of builds.
check-nx: all
	@scripts/install-deps.sh check
	@scripts/install-deps.sh nx
	$(call say,TEST,'iotrc check with nx')
	$(Q)IOTRC=$(abspath $(BUILD)/iotrc) $(PYTESTS) tests/nx $(NX_TESTS)

# Linked with the libraries of scripts/vm/fetch-root.sh. If these are not available it is only compiled, which needs no
# arm64 libraries: their headers are the same everywhere.
ARM64 = iotrc
arm64:
	$(call say,TEST,'builds for arm64')
	$(Q)if root=$$(scripts/vm/fetch-root.sh arm64); then \
		flags=--sysroot=$$root targets='$(ARM64:%=$(BUILD)-arm64/%) workloads check-bpf-stack'; \
	else \
		flags='-idirafter /usr/include -idirafter /usr/include/$(MULTIARCH)'; \
		targets='$(BUILD)-arm64/src/main.o $(BUILD)-arm64/libiotrc.a check-bpf-stack'; \
	fi; \
	$(MAKE) --no-print-directory $(JOBS) BUILD=$(BUILD)-arm64 ARCH=arm64 CC=aarch64-linux-gnu-gcc WERROR=1 \
		EXTRA_CFLAGS="$$flags" $$targets
	$(Q)! comm -23 <(sed -nE 's/^#define (__NR_\w+ [0-9]+)$$/\1/p' src/engine/bpf/unistd_arm.h | sort) \
		<(echo '#include <asm/unistd.h>' | arm-linux-gnueabihf-gcc -E -dM - | \
			sed -nE 's/^#define (__NR_\w+) \(__NR_SYSCALL_BASE ?\+ ?([0-9]+)\)$$/\1 \2/p' | sort) | \
		grep . || { echo 'src/engine/bpf/unistd_arm.h has other numbers than arm'; exit 1; }
# The unit tests on an emulated processor. (Criterion's own runner cannot be emulated: it moves memory between processes.)
check-arm64:
	@scripts/install-deps.sh arm64
	@$(MAKE) --no-print-directory arm64 ARM64='iotrc unit-tests-tsan'
	$(call say,TEST,'unit on arm64')
	$(Q)qemu-aarch64 -L $$(scripts/vm/fetch-root.sh arm64) $(BUILD)-arm64/unit-tests-tsan

# The pages that are generated from the tables.
COMPLETIONS := completions/iotrc.bash completions/_iotrc completions/iotrc.fish
MADE_PAGES := $(filter-out man/iotrc.1,$(wildcard man/*))
DOCS := docs/format.md docs/fs-operations.md docs/hooks.md scripts/iotrc.conf $(MADE_PAGES) $(COMPLETIONS)
$(BUILD)/gen-docs: $(patsubst %.c,$(BUILD)/%.o,$(wildcard scripts/gen-*.c)) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $^ $(LDLIBS) -o $@
docs: $(BUILD)/gen-docs
	$(Q)for d in $(DOCS); do $< $$d > $$d || exit; done
check-docs: $(BUILD)/gen-docs
	$(call say,TEST,'docs are as the tables')
	$(Q)for d in $(DOCS); do $< $$d | diff -u $$d - || { echo "$$d is old: make docs"; exit 1; }; done
	$(Q)! mandoc -Tlint -W warning man/* | grep .

# One file that runs anywhere, with all libraries except libcurl: it uploads only to file://.
static: $(BUILD)/iotrc-static
$(BUILD)/iotrc-static: $(BUILD)/src/main.o $(LIB)
	$(call say,LD,$@)
	$(Q)rm -f $@; $(CC) $(CFLAGS) -static-pie $^ $(STATIC_LDLIBS) -o $@ 2>&1 | { grep -vE 'in function|requires at runtime the shared' || true; }; test -x $@

# CI builds the programs of benchmarks, since nothing else there does.
bench-programs: all
	@$(MAKE) --no-print-directory -C bench programs BUILD=$(abspath $(BUILD)) BPFTOOL="$(BPFTOOL)" CLANG="$(CLANG)"
bench bench-all bench-own bench-workloads: deps all
	@scripts/install-deps.sh bench
	$(if $(filter bench,$@),,@scripts/install-deps.sh bench-workloads)
	@$(MAKE) --no-print-directory -C bench $@ BUILD=$(abspath $(BUILD)) BPFTOOL="$(BPFTOOL)" CLANG="$(CLANG)"

# Replays two recordings: one operation of each kind (rows), and real programs (real). UPDATE=1 writes the numbers with
# which later ones are compared. After a change of the layout of records, bench-record makes new recordings (root).
ROWS := bench/rows.records.zst
bench-rows: $(BUILD)/bench-rows
	@scripts/install-deps.sh valgrind
	$(call say,BENCH,'instructions of a row')
	$(Q)for kind in rows real; do \
		/usr/bin/python3 bench/rows.py $< bench/$$kind.records.zst bench/$$kind.instructions \
			$(if $(UPDATE),--update) || failed=1; \
	done; test -z "$$failed"
# RUN_ARGS='--rounds 3 --only bpf' and the like; WRITE=1 puts the tables into docs/performance.md.
bench-bpf: bench-programs
	$(Q)/usr/bin/python3 bench/bpf.py $(BUILD)/bench/loops $(BEFORE) $(BUILD)/iotrc
# WRITE=1 puts the table into docs/performance.md.
bench-growth: bench-programs
	$(Q)/usr/bin/python3 bench/growth.py $(BUILD)/iotrc $(BUILD)/bench/growth $(if $(WRITE),--write docs/performance.md)
# How a recording changes within an hour (root).
bench-hour: bench-programs
	$(Q)/usr/bin/python3 bench/hour.py $(BUILD)/iotrc $(BUILD)/bench/growth $(if $(WRITE),--write docs/performance.md)
# At what rate rows are lost, and what a start, an idle minute and the first snapshot cost (root).
bench-limits: bench-programs
	$(Q)/usr/bin/python3 bench/limits.py $(BUILD)/iotrc $(BUILD)/bench/loops . $(if $(WRITE),--write docs/performance.md) $(LIMITS_ARGS)
# The cost of --lineage, on a disk in memory (root).
bench-lineage: bench-programs
	$(Q)/usr/bin/python3 bench/lineage.py $(BUILD)/iotrc "$(BPFTOOL)" $(BUILD)/bench/floor $(if $(WRITE),--write docs/lineage.md)
bench-run: all workloads
	@scripts/install-deps.sh bench-run
	$(Q)/usr/bin/python3 bench/run.py --iotrc $(BUILD)/iotrc --ways $(BUILD)/workloads/run_ways \
		$(if $(WRITE),--write docs/performance.md) $(RUN_ARGS)
# iotrc report of 10 million rows, alternating with the same computation in DuckDB; fails if the report takes longer.
REPORT_ROWS ?= 10000000
bench-summary: all
	@scripts/install-deps.sh bench-report
	$(call say,BENCH,'a summary of $(REPORT_ROWS) rows beside DuckDB')
	$(Q)/usr/bin/python3 bench/summary.py $(abspath $(BUILD)/iotrc) $(ROWS) $(REPORT_ROWS)
# A live summary beside a recording of the same load (root).
bench-summary-live: bench-programs
	$(Q)/usr/bin/python3 bench/summary_live.py --build $(BUILD) $(if $(WRITE),--write docs/performance.md)
# One question to lakes of several sizes, in a directory and in a store, and the speed of an export; sessions and lakes
# stay in FLEET_PLACE for the next time. WRITE=1 puts the tables into docs/fleet.md, which has those of
# FLEET_SIZES="10:1 10:7 10:30 100:1 100:7 100:30 1000:1 1000:7 1000:30" FLEET_STORED="1000:1 1000:7".
FLEET_PLACE ?= /var/tmp/iotrc-bench-fleet
FLEET_SIZES ?= 10:1 10:7 100:1
FLEET_STORED ?= 10:1 100:1
bench-fleet: all
	@scripts/install-deps.sh fleet
	$(call say,BENCH,'a fleet')
	@mkdir -p $(FLEET_PLACE)/speed
	$(Q)export WRITE=$(if $(WRITE),docs/fleet.md); \
		/usr/bin/python3 bench/fleet.py grow $(abspath $(BUILD)/iotrc) $(FLEET_PLACE) $(FLEET_SIZES) && \
		/usr/bin/python3 bench/fleet.py store $(abspath $(BUILD)/iotrc) $(FLEET_PLACE) $(FLEET_STORED) && \
		place=$$(mktemp -d -p $(FLEET_PLACE)/speed) && trap 'rm -rf "$$place"' EXIT && \
		/usr/bin/python3 bench/fleet.py export $(abspath $(BUILD)/iotrc) "$$place" 1000000
# The loader compared with pandas.read_csv(), in pairs.
bench-load: all
	@scripts/install-deps.sh bench-report
	$(call say,BENCH,'loading a million rows beside read_csv()')
	$(Q)/usr/bin/python3 bench/load.py $(abspath $(BUILD)/iotrc) $(ROWS)
bench-report: all
	@scripts/install-deps.sh bench-report
	$(call say,BENCH,'a report of $(REPORT_ROWS) rows beside DuckDB')
	$(Q)/usr/bin/python3 bench/report.py $(abspath $(BUILD)/iotrc) $(ROWS) $(REPORT_ROWS)
bench-record: all workloads
	$(Q)for kind in rows real; do \
		bench/record-rows.sh $$kind $(abspath $(BUILD)/iotrc) $(abspath $(BUILD)/workloads) bench/$$kind.records.zst || exit; \
	done
$(BUILD)/bench-rows: $(BUILD)/bench/rows.o $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $^ $(LDLIBS) -o $@

# FILE:where below PREFIX:MODE
MANDIR := share/man
INSTALLED := $(BUILD)/iotrc:bin/iotrc:755 \
	$(foreach m,$(wildcard man/*),$(m):$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m)):644) \
	completions/iotrc.bash:share/bash-completion/completions/iotrc:644 \
	completions/_iotrc:share/zsh/site-functions/_iotrc:644 \
	completions/iotrc.fish:share/fish/vendor_completions.d/iotrc.fish:644 \
	scripts/service.sh:share/iotrc/service.sh:755 \
	$(foreach f,iotrc.conf $(if $(filter Darwin,$(SYSTEM)),iotrc.plist,iotrc.service iotrc-upload.service iotrc.openrc), \
		scripts/$(f):share/iotrc/$(f):644) \
	$(if $(filter Linux,$(SYSTEM)),scripts/iotrc-generator:share/iotrc/iotrc-generator:755)
install: all
	@set -e; for f in $(INSTALLED); do IFS=: read -r from to mode <<< $$f; \
		echo "install $(DESTDIR)$(PREFIX)/$$to"; mkdir -p $(DESTDIR)$(PREFIX)/$${to%/*}; \
		install -m $$mode $$from $(DESTDIR)$(PREFIX)/$$to; done
uninstall:
	@for f in $(INSTALLED); do IFS=: read -r from to mode <<< $$f; \
		echo "remove $(DESTDIR)$(PREFIX)/$$to"; rm -f $(DESTDIR)$(PREFIX)/$$to; done
deb:
	@scripts/install-deps.sh packages
	$(call say,DEB,$(BUILD)/deb)
	$(Q)scripts/make-deb.sh $(abspath $(BUILD)/deb) $(VERSION) $(COMMIT)

# iotrc in a container (docs/containers.md). ENGINE=docker for Docker; PODMAN and PODMAN_RUN take further options, and
# PODMAN_RIGHTS is what lets it load eBPF.
ENGINE ?= podman
PODMAN ?= $(ENGINE)
CONTAINER ?= iotrc
TRACES ?= iotrc-traces
PODMAN_RIGHTS ?= --privileged
# Directories of the machine that the containers run on, as far as it has them. From a Mac, it is a virtual machine that
# make cannot look into.
there = $(if $(filter Darwin,$(SYSTEM)),$(1),$(wildcard $(1)))
RUNTIME_DIRS = $(if $(filter Darwin,$(SYSTEM)),$(if $(filter docker,$(ENGINE)),/var/lib/docker/containers,/var/lib/containers), \
	/var/lib/containers /var/lib/docker/containers /run/containerd)
PODMAN_MOUNTS = -v /etc/machine-id:/etc/machine-id:ro -v /sys/fs/cgroup:/sys/fs/cgroup:ro \
	$(foreach d,$(call there,/sys/kernel/debug /sys/kernel/tracing /sys/fs/bpf),-v $(d):$(d)) \
	$(foreach d,$(call there,$(RUNTIME_DIRS)),-v $(d):$(d):ro)
podman-build:
	$(PODMAN) build $(PODMAN_BUILD) $(if $(BASE),--build-arg BASE=$(BASE)) --build-arg COMMIT=$(COMMIT) -t iotrc -f Containerfile .
podman-up:
	@$(PODMAN) image inspect iotrc >/dev/null 2>&1 || { echo 'there is no image iotrc here: make podman-build makes it'; false; }
	$(PODMAN) run -d --pull never --name $(CONTAINER) $(PODMAN_RIGHTS) --pid host --cgroupns host $(PODMAN_MOUNTS) \
		-v $(TRACES):/traces $(or $(PODMAN_RUN),--network none) iotrc --output /traces $(RECORD)
podman-logs:
	$(PODMAN) logs $(CONTAINER)
podman-down:
	$(PODMAN) stop -t 30 $(CONTAINER)
	$(PODMAN) rm $(CONTAINER)
# As far as this machine allows it: records a container from another one, by name (root).
podman-test:
	@scripts/install-deps.sh containers
	$(call say,TEST,'in a container and of containers')
	$(Q)IOTRC=$(abspath $(BUILD)/iotrc) $(PYTESTS) --tb=short tests/containers $(CONTAINER_TESTS)
# Files for other programs: the manifest for Kubernetes, and GitHub's workflows.
check-manifests:
	@scripts/install-deps.sh manifests
	$(call say,TEST,'manifests and workflows')
	$(Q)IOTRC_NODE=$(NPM_DIR)/manifests node tests/manifests/kubernetes.mjs kubernetes/*.yaml
	$(Q)IOTRC_NODE=$(NPM_DIR)/manifests node tests/manifests/compose.mjs compose.yaml
	$(Q)IOTRC_NODE=$(NPM_DIR)/manifests node tests/manifests/workflows.mjs .github/workflows/*.yml
clean:
	rm -rf $(BUILD) $(BUILD)-check-tsan $(BUILD)-check-asan-live $(BUILD)-asan $(BUILD)-arm64

# Without other things below $(BUILD), such as packages and programs for other kernels.
DEPENDENCIES := $(wildcard $(addprefix $(BUILD)/,bench bpf schema scripts snappers src tests uploader))
-include $(if $(DEPENDENCIES),$(shell find $(DEPENDENCIES) -name '*.d'))
