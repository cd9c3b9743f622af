# shellcheck shell=bash disable=SC2034
# How this project is compiled wherever it is checked: warnings are errors in our targets, and so is an import of a
# sibling target that Package.swift does not list.
BUILD_FLAGS=(--explicit-target-dependency-import-check error -Xswiftc -warnings-as-errors)
