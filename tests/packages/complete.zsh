# SPDX-License-Identifier: GPL-2.0-or-later
# complete.zsh WORDS WANTED: zsh, with our completion, is typed WORDS and a tab on a terminal of its own;
# succeeds when it answers WANTED, which must not be in WORDS.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1='> '; fpath=($PWD/completions \$fpath); autoload -U compinit; compinit -u -D; print re\"\"ady"
zpty -r shell answer "*ready*"
zpty -w -n shell "$1"$'\t'
zpty -r -m shell answer "*$2*"
