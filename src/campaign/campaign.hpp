// A campaign file, read and validated: the grid of cells, and how many trials of each.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "campaign/cell.hpp"
#include "campaign/kept_parameters.hpp"
#include "campaign/stopping_criterion.hpp"

namespace limrisk {

/// What a store keeps: the record of every trial, or per cell the aggregate of all of them. In the order of the key's words.
enum class StoreContents { Trials, Summary };

struct Campaign {
    std::string name;
    std::uint64_t seed = 1;
    std::int64_t trials = 0;                 ///< per cell; with `until` at most, the same as until->at_most
    std::optional<StoppingCriterion> until;  ///< ends a cell before that, or shares trials out over strata; no part of any cell
    std::vector<std::int64_t>
        cell_trials;  ///< [cells] trials of each in the place of `trials`, where a part of a campaign is run; else empty
    StoreContents store = StoreContents::Trials;
    KeptParameters keep;  ///< of every trial, in a store of trials; no part of any cell
    std::vector<CellConfig> cells;
    std::string text;  ///< the file as read, for the store

    /// Of the cell at this position in `cells`.
    std::int64_t trials_of(std::size_t cell) const { return cell_trials.empty() ? trials : cell_trials.at(cell); }
};

/// Command-line changes to a campaign file: `--trials` and its like, and `--set key=value` (value in TOML).
struct Overrides {
    std::optional<std::int64_t> trials, steps;
    std::optional<std::uint64_t> seed;
    std::vector<std::pair<std::string, std::string>> set;
};

/// Reads a campaign. Throws ConfigError with all problems at once (key, line, value, what is allowed), Error(InputOutput) if unreadable.
Campaign load_campaign(const std::filesystem::path& path, const Overrides& overrides = {});

/// Whether a campaign's text names a file, of data points or of parameters where trials start.
bool names_data_file(std::string_view text);

/// The same from text; `source` is the file's name in messages.
Campaign parse_campaign(std::string_view text, const std::string& source, const Overrides& overrides = {});

}  // namespace limrisk
