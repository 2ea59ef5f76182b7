// A command line as it can be pasted into a shell.
#pragma once
#include <string>
#include <vector>

namespace limrisk::cli {

/// The words with quotes where a POSIX shell needs them.
std::string shell_command(const std::vector<std::string>& words);

/// For the end of what a command says that was stopped: the line with the command that goes on. With --again it would not go on, but begin
/// anew, and that is what is said.
std::string how_to_continue(const std::vector<std::string>& words);

}  // namespace limrisk::cli
