// A small right campaign, line by line, and changes to it: what every test of the reader starts from.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "campaign/campaign.hpp"

namespace limrisk {

using Edits = std::vector<std::pair<int, std::string>>;  ///< line number (1-based), what stands there instead

/// The campaign with some lines replaced. Line 22 is empty: room for one more.
inline std::string campaign_text(const Edits& edits = {}) {
    std::vector<std::string> lines{"name = \"test\"",
                                   "trials = 8",
                                   "steps = 100",
                                   "seed = 1",
                                   "precision = \"float32\"",
                                   "[problem]",
                                   "input = { law = \"uniform\", dimension = 1, low = 0.0, high = 1.0 }",
                                   "target = \"x1^2\"",
                                   "[network]",
                                   "width = 4",
                                   "activation = \"relu\"",
                                   "initialization = \"pytorch\"",
                                   "[training]",
                                   "batch = 32",
                                   "optimizer = { name = \"sgd\", learning_rate = 0.05 }",
                                   "[tracking]",
                                   "checks = 10",
                                   "tail = 5",
                                   "tolerance = 1e-3",
                                   "[evaluation]",
                                   "nodes = 64",
                                   ""};
    for (const auto& [line, text] : edits) lines.at(static_cast<std::size_t>(line - 1)) = text;
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

inline Campaign read_campaign(const Edits& edits, const Overrides& overrides = {}) {
    return parse_campaign(campaign_text(edits), "t.toml", overrides);
}

}  // namespace limrisk
