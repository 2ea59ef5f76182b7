// POSIX quoting: single quotes around everything that is not plainly harmless.
#include "cli/shell_words.hpp"

#include <algorithm>
#include <string_view>

namespace limrisk::cli {
namespace {

bool harmless(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./=:,+@%").find(c) != std::string_view::npos;
}

std::string quoted(const std::string& word) {
    if (!word.empty() && std::all_of(word.begin(), word.end(), harmless)) return word;
    std::string text = "'";
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

}  // namespace

std::string shell_command(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + quoted(word);
    return text;
}

std::string how_to_continue(const std::vector<std::string>& words) {
    const bool again = std::find(words.begin(), words.end(), "--again") != words.end();
    return (again ? "What was not done again has its results from before. To do all of it again, from the beginning: " : "To continue: ") +
           shell_command(words) + "\n";
}

}  // namespace limrisk::cli
