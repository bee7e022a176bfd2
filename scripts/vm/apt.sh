# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# To be sourced: another suite or architecture of the archive that this machine's apt knows, by an apt of its
# own: the machine's keeps its state.

# private_apt DIRECTORY ARCHITECTURE SUITE…: sets `apt`, the options of apt-get and apt-cache. Says on stderr
# why it can't. The lists and what is downloaded go to DIRECTORY.
private_apt() {
	local work=$1 architecture=$2 keyring=/usr/share/keyrings/debian-archive-keyring.gpg suite site
	shift 2
	mkdir -p "$work"/{lists/partial,archives/partial,parts}
	: >"$work/status"
	for suite; do
		# A suite named *-security comes from the archive that the machine's own security suite comes from.
		# shellcheck disable=SC2016
		site=$(apt-get indextargets --format '$(CODENAME) $(SITE) $(REPO_URI)' 'Created-By: Packages' |
			awk -v security="$([[ $suite == *-security ]] && echo 1 || echo 0)" \
				'($1 ~ /-security$/) == security { print $NF; exit }')
		[[ $site ]] || { echo "apt knows no archive to fetch it from" >&2; return 1; }
		echo "deb [arch=$architecture signed-by=$keyring] $site $suite main"
	done >"$work/sources.list"
	apt=(-q -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts="$work/parts"
		-o Dir::State::Lists="$work/lists" -o Dir::State::Status="$work/status"
		-o Dir::State::extended_states="$work/extended" -o Debug::NoLocking=1
		-o Dir::Cache::Archives="$work/archives" -o Dir::Cache::PkgCache= -o Dir::Cache::SrcPkgCache=
		# 5.10's suite is past its support; sid's list may be older than it says it may be.
		-o Acquire::Check-Valid-Until=false -o Acquire::Languages=none
		-o APT::Architecture="$architecture" -o APT::Architectures="$architecture")
	apt-get "${apt[@]}" update >"$work/log" 2>&1 ||
		{ echo "apt-get update: $(tail -n1 "$work/log")" >&2; return 1; }
}
