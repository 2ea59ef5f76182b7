// Reads the command line as CLI11 does: what follows an option that needs a value is its value, whatever it looks like.
#include "cli/unknown_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "expression/nearest_name.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cli {
namespace {

std::string did_you_mean(const std::string& nearest) { return nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest); }

const CLI::App& known_subcommand(const CLI::App& app, const std::string& word) {
    std::vector<std::string> known;
    for (const CLI::App* command : app.get_subcommands(nullptr)) {
        if (command->get_name() == word) return *command;
        known.push_back(command->get_name());
    }
    throw Error(ExitCode::Usage, fmt::format("there is no subcommand '{}'{}; known are {}", word, did_you_mean(nearest_name(word, known)),
                                             fmt::join(known, ", ")));
}

bool looks_like_option(const std::string& word) {
    return word.size() > 1 && word[0] == '-' && std::isdigit(static_cast<unsigned char>(word[1])) == 0 && word[1] != '.';
}

/// `word` begins with one dash or two and may hold a value, as in --trials=3.
const CLI::Option& known_option(const CLI::App& app, const std::string& word) {
    const std::string name = word.substr(0, word.find('='));
    std::vector<std::string> known;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& one : option->get_lnames()) {
            if (name == "--" + one) return *option;
            known.push_back(one);
        }
        for (const std::string& one : option->get_snames())
            if (word[1] != '-' && word.substr(1, 1) == one) return *option;
    }
    const std::string nearest = nearest_name(name.substr(name.find_first_not_of('-')), known);
    throw Error(ExitCode::Usage,
                fmt::format("there is no option {}{}\nTry: {} --help", name, did_you_mean(nearest.empty() ? "" : "--" + nearest),
                            app.get_parent() == nullptr ? "limrisk" : "limrisk " + app.get_name()));
}

}  // namespace

void refuse_unknown_words(const CLI::App& app, const std::vector<std::string>& words) {
    const CLI::App* command = &app;
    for (std::size_t k = 1; k < words.size() && words[k] != "--"; ++k) {
        const std::string& word = words[k];
        if (looks_like_option(word)) {
            const bool takes_next = known_option(*command, word).get_items_expected_min() > 0 && word.find('=') == std::string::npos;
            if (takes_next) ++k;
        } else if (command == &app && !word.empty()) {
            command = &known_subcommand(app, word);
        }
    }
}

}  // namespace limrisk::cli
