// Parameters at which trials start, where a campaign gives them instead of a law: a list, or arrays of a NumPy file.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace limrisk {

struct Node;
class Problems;

/// One start for all trials, or one for each. Cells share it.
struct Start {
    std::int64_t width = 0, dimension = 0;
    std::int64_t trials = 0;  ///< that have one each, from trial 0 on; 0: one for all
    bool skip = false;        ///< whether it has u, of networks with a skip connection
    std::string hash;         ///< XXH3-128 of `text`, 32 hexadecimal digits: what a cell knows it by
    std::string text;         ///< canonical JSON: {"dimension":d,"numbers":"..","trials":n,"width":h}, doubles in hexadecimal; with u
                              ///< also "skip":true
    std::vector<double> parameters;  ///< [trials, or 1][parameters], canonical order, as they were given

    /// Whether it has its numbers; a cell that was read from its description has only the rest until the store gives them.
    bool is_complete() const { return !text.empty(); }
    bool described_as(const Start& other) const {
        return hash == other.hash && width == other.width && dimension == other.dimension && trials == other.trials && skip == other.skip;
    }
    /// "one given start, 1a2b3c4d", "70 given starts, 1a2b3c4d".
    std::string label() const;
};

using StartPointer = std::shared_ptr<const Start>;

inline constexpr std::int64_t most_start_numbers = std::int64_t{1} << 22;  ///< of all trials: a store keeps a copy

/// Of these numbers. Throws ConfigError where one is not finite, or there are too many.
StartPointer make_start(std::int64_t width, std::int64_t dimension, std::int64_t trials, std::vector<double> parameters, bool skip = false);

/// Its first one, for all trials.
StartPointer first_start(const Start& start);

/// Reads the value of `network.initial`: a file, or a table. Appends what is wrong to `problems`, and returns null then.
StartPointer read_start(const Node& node, const std::string& key, Problems& problems);

/// Takes relative names of files in the value of `network.initial` as relative to `directory`.
void resolve_start_files(Node& node, const std::filesystem::path& directory);

/// From Start::text. Throws ConfigError if it is not what limrisk writes.
StartPointer start_from_text(std::string_view text);

}  // namespace limrisk
