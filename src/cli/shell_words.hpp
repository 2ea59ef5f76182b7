// A command line as it can be pasted into a shell.
#pragma once
#include <string>
#include <vector>

namespace limrisk::cli {

/// The words with quotes where a POSIX shell needs them.
std::string shell_command(const std::vector<std::string>& words);

}  // namespace limrisk::cli
