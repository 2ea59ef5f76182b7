// A finite set of data points, and where it comes from: a list in the campaign, or a file.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace limrisk {
namespace kernels {
struct Program;
}

struct Node;
struct Problem;
class Problems;

/// Points (x, y) with weights, the same for all trials. Cells share it.
struct DataSet {
    std::int64_t dimension = 0, count = 0;
    double low = 0, high = 0;     ///< least and largest coordinate of all inputs
    bool weighted = false;        ///< not all weights are equal
    std::string hash;             ///< XXH3-128 of `text`, 32 hexadecimal digits: what a cell knows its data by
    std::string text;             ///< canonical JSON: {"inputs":[[..],..],"outputs":[..],"weights":[..]}, no weights if all are equal
    std::vector<double> inputs;   ///< [count][dimension]
    std::vector<double> outputs;  ///< [count]
    std::vector<double> weights;  ///< [count], positive, sum 1 up to rounding
    bool to_draw = false;         ///< `count` points are still to be drawn, from the problem's input, target and noise
    std::uint64_t draw_seed = 0;  ///< then
    bool per_trial = false;       ///< every trial draws its own: they are never here, unless `resample` says how they are chosen
    std::string resample;         ///< of these points a trial draws so many, with replacement, by their weights: a number, or an
                                  ///< expression in h and d. Empty: it has all of them
    std::string origin;           ///< of points that were drawn: target, input law, noise, seed
    double holdout = 0;           ///< of points that are still to be drawn: share of them that is held out; 0: none

    /// Points that are held out of everything but the validation risk, with weights of their own; null: none.
    std::shared_ptr<const DataSet> validation;

    /// Whether it has its points; a cell that was read from its description has only the numbers above until the store gives them.
    bool is_complete() const { return !text.empty(); }
    /// Whether the numbers of a description are the same; points do not know their origin.
    bool described_as(const DataSet& other) const {
        return hash == other.hash && count == other.count && dimension == other.dimension && low == other.low && high == other.high &&
               weighted == other.weighted;
    }
    std::int64_t validation_count() const { return validation == nullptr ? 0 : validation->count; }
    /// Draws of a trial of networks of this width: the value of `resample`, if it is a whole number from 1 to most_resampled.
    std::optional<std::int64_t> draws(std::int64_t width) const;
    /// "6 data points", "442 data points in dimension 10".
    /// Of drawn ones: "6 points of x1^2, uniform on [0, 1], seed 7"; "6 points for each trial". With points that are held out: "..., 88
    /// for validation".
    std::string label() const;
};

using DataPointer = std::shared_ptr<const DataSet>;

inline constexpr std::int64_t most_data_points = std::int64_t{1} << 20;
inline constexpr std::int64_t most_data_dimension = 256;
inline constexpr std::int64_t most_own_numbers = std::int64_t{1} << 16;  ///< inputs and outputs of the points of one trial
inline constexpr std::int64_t most_resampled = std::int64_t{1} << 24;    ///< draws of one trial
inline constexpr std::size_t most_data_text = std::size_t{16} << 20;     ///< bytes of `text`

/// Reads the value of `problem.data`: a table with `points`, `file` or `draw`. Appends what is wrong to `problems`, and returns null then.
DataPointer read_data(const Node& node, const std::string& key, Problems& problems);

/// The points of a problem whose data are still to be drawn: docs/numerics.md section 14. Throws ConfigError where an output is not finite.
///   origin  of the points, in words
DataPointer draw_data(const Problem& problem, const std::string& origin);

/// Its inputs [count][dimension] and outputs [count], in double. Defined in src/evaluation/drawn_points.cpp, where the laws are.
///   target  f, with the mean of the noise
void draw_points(const Problem& problem, const kernels::Program& target, std::vector<double>& inputs, std::vector<double>& outputs);

/// Which of `count` points are held out, `held` of them: docs/numerics.md section 14. Defined in src/evaluation/drawn_points.cpp, where the
/// lanes are.
std::vector<bool> held_out_points(std::uint64_t seed, std::int64_t count, std::int64_t held);

/// Takes relative names of files in the value of `problem.data` as relative to `directory`.
void resolve_data_files(Node& node, const std::filesystem::path& directory);

/// From DataSet::text. Throws ConfigError if it is not what limrisk writes.
DataPointer data_from_text(std::string_view text);

}  // namespace limrisk
