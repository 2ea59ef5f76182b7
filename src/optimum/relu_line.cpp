// Starts of the kinks: the best partition into free pieces, equal parts, a further kink in each piece of the best so far, and random ones.
#include "optimum/relu_line.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace limrisk::optimum {
namespace {

/// Uniform in [0, 1): a function of its counter (SplitMix64), so that starts do not depend on the order in which they are tried.
double uniform(std::uint64_t stream, std::uint64_t counter) {
    std::uint64_t z = (stream * 0x2545F4914F6CDD1DULL + counter + 1) * 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

double interpolate(const std::vector<double>& grid, double part) {
    const double place = part * static_cast<double>(grid.size() - 1);
    const auto i = std::min(static_cast<std::size_t>(place), grid.size() - 2);
    return grid[i] + (place - static_cast<double>(i)) * (grid[i + 1] - grid[i]);
}

bool one_level(const SplineRisk& risk, double a, double b) {
    const double larger = std::max(a, b);
    return std::fabs(a - b) <= level_tolerance * larger + risk.rounding(larger) || (risk.is_zero(a) && risk.is_zero(b));
}

bool same_minimum(const SplineRisk& risk, const SplineFit& a, const SplineFit& b) {
    if (!one_level(risk, a.risk, b.risk)) return false;
    // Kinks move by a few times the noise of the residual; for an exact representation that is its own size.
    const double moved = risk.is_zero(a.risk) ? 0 : 10 * risk.noise() / std::sqrt(a.risk);
    for (std::size_t i = 0; i < a.kinks.size(); ++i)
        if (!(std::fabs(a.kinks[i] - b.kinks[i]) <= (1e-5 + moved) * risk.integral().length())) return false;
    return a.signature == b.signature;
}

/// A fit in the problem's own units.
SplineFit in_own_units(SplineFit fit, const LineUnits& units) {
    const double steepness = units.scale / units.span;
    for (double& kink : fit.kinks) kink = std::fma(kink, units.span, units.origin);
    for (Jump& jump : fit.signature.jumps) jump.at = std::fma(jump.at, units.span, units.origin);
    for (double& value : fit.values) value = std::fma(value, units.scale, units.mean);
    for (double& bend : fit.bends) bend *= steepness;
    for (double& derivative : fit.gradient) derivative *= units.scale * steepness;
    fit.first_value = std::fma(fit.first_value, units.scale, units.mean);
    fit.first_slope *= steepness;
    fit.risk *= units.scale * units.scale;
    return fit;
}

std::vector<bool> bits(std::uint64_t mask, std::size_t count) {
    std::vector<bool> result;
    for (std::size_t i = 0; i < count; ++i) result.push_back((mask >> i & 1) != 0);
    return result;
}

}  // namespace

ReluLine::ReluLine(const LineIntegral& integral, int largest, const LineEffort& effort, bool skip)
    : integral_(integral.normalized()),
      risk_(integral_),
      effort_(effort),
      skip_(skip),
      partitions_(best_partitions(integral_, largest)),
      grid_(integral_.grid(256)) {
    for (int width = 0; width <= largest; ++width) {
        const bool done = !optima_.empty() && risk_.is_zero(optima_.back().fit.risk / risk_unit());
        if (!done) search_kinks(static_cast<std::size_t>(width));
        if (!done && !integral_.jumps().empty()) search_jumps(static_cast<std::size_t>(width));
        optima_.push_back(best(width));
        if (effort_.done) effort_.done(width, optima_.back());
    }
}

void ReluLine::search(const Signature& signature, const std::vector<std::vector<double>>& starts) {
    const auto known = std::find_if(searches_.begin(), searches_.end(), [&](const auto& other) { return other.signature == signature; });
    SignatureSearch& search = known != searches_.end() ? *known : searches_.emplace_back(SignatureSearch{signature, 0, {}});
    for (const std::vector<double>& kinks : starts) {
        if (effort_.poll) effort_.poll();
        ++search.starts;
        std::optional<LocalMinimum> minimum = descend(risk_, signature, kinks);
        // Kinks that passed each other have another order of orientations, found there.
        if (!minimum || !(minimum->fit.signature == signature)) continue;
        const auto twin = std::find_if(search.minima.begin(), search.minima.end(),
                                       [&](const LocalMinimum& other) { return same_minimum(risk_, other.fit, minimum->fit); });
        if (twin == search.minima.end()) {
            search.minima.push_back(std::move(*minimum));
            continue;
        }
        const int reached = twin->reached + 1;
        const double risk = std::min(twin->fit.risk, minimum->fit.risk);
        const double spread = std::max(twin->spread, std::fabs(twin->fit.risk - minimum->fit.risk) / (risk > 0 ? risk : 1));
        if (minimum->fit.risk < twin->fit.risk) *twin = std::move(*minimum);
        twin->reached = reached;
        twin->spread = spread;
    }
    std::stable_sort(search.minima.begin(), search.minima.end(), [](const auto& a, const auto& b) { return a.fit.risk < b.fit.risk; });
}

std::vector<std::vector<double>> ReluLine::starts(std::size_t kinks, int random) const {
    std::vector<std::vector<double>> starts{partitions_[kinks].kinks};
    if (kinks == 0) return starts;
    starts.emplace_back();
    for (std::size_t i = 1; i <= kinks; ++i)
        starts.back().push_back(interpolate(grid_, static_cast<double>(i) / static_cast<double>(kinks + 1)));
    // The best with one kink less, and a further kink in one of its pieces.
    const SplineFit* parent = nullptr;
    for (const SignatureSearch& search : searches_)
        if (search.signature.jumps.empty() && search.signature.kinks() + 1 == kinks && !search.minima.empty() &&
            (parent == nullptr || search.minima.front().fit.risk < parent->risk))
            parent = &search.minima.front().fit;
    const std::size_t most_insertions = kinks <= 8 ? kinks : 4;
    for (std::size_t i = 0; parent != nullptr && i < most_insertions; ++i) {
        const std::size_t piece = kinks <= 8 ? i : static_cast<std::size_t>(uniform(kinks, i) * static_cast<double>(kinks));
        const double from = piece == 0 ? integral_.low() : parent->kinks[piece - 1];
        const double to = piece == parent->kinks.size() ? integral_.high() : parent->kinks[piece];
        starts.push_back(parent->kinks);
        starts.back().insert(starts.back().begin() + static_cast<std::ptrdiff_t>(piece), 0.5 * (from + to));
    }
    for (int i = 0; i < random; ++i) {
        starts.emplace_back();
        for (std::size_t j = 0; j < kinks; ++j)
            starts.back().push_back(interpolate(grid_, uniform(kinks * 1000003 + static_cast<std::uint64_t>(i), j)));
        std::sort(starts.back().begin(), starts.back().end());
    }
    return starts;
}

/// All orientations of few kinks; of many those that cost the best unrestricted functions least.
std::vector<std::vector<bool>> ReluLine::orientations(std::size_t kinks) const {
    std::vector<std::vector<bool>> result;
    if (kinks <= static_cast<std::size_t>(effort_.all_orientations)) {
        for (std::uint64_t mask = 0; mask < std::uint64_t{1} << kinks; ++mask) result.push_back(bits(mask, kinks));
        return result;
    }
    const auto unrestricted = std::find_if(searches_.begin(), searches_.end(), [&](const SignatureSearch& search) {
        return search.signature.linear && search.signature.jumps.empty() && search.signature.kinks() == kinks && !search.minima.empty();
    });
    if (unrestricted == searches_.end()) {
        for (std::size_t flat = 0; flat <= kinks; ++flat) {
            result.emplace_back(kinks, false);
            std::fill_n(result.back().begin(), flat, true);
        }
        return result;
    }
    const SplineFit& fit = unrestricted->minima.front().fit;
    std::vector<std::vector<bool>> candidates;
    if (kinks <= 10) {
        for (std::uint64_t mask = 0; mask < std::uint64_t{1} << kinks; ++mask) candidates.push_back(bits(mask, kinks));
    } else {
        // A subset sum, slope + sum of left bends = 0, by changing one orientation at a time from random ones.
        for (std::uint64_t start = 0; start < 256; ++start) {
            std::vector<bool> left(kinks);
            double excess = fit.first_slope;
            for (std::size_t i = 0; i < kinks; ++i)
                if (uniform(start + 7919 * kinks, i) < 0.5) left[i] = true, excess += fit.bends[i];
            for (bool better = true; better;) {
                better = false;
                for (std::size_t i = 0; i < kinks; ++i) {
                    const double change = left[i] ? -fit.bends[i] : fit.bends[i];
                    if (std::fabs(excess + change) < std::fabs(excess)) left[i] = !left[i], excess += change, better = true;
                }
            }
            candidates.push_back(left);
        }
        std::sort(candidates.begin(), candidates.end());
        candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    }
    std::vector<std::pair<double, std::size_t>> costs;
    for (std::size_t i = 0; i < candidates.size(); ++i) costs.emplace_back(risk_.cost_of_orientations(fit, candidates[i]), i);
    std::sort(costs.begin(), costs.end());
    const std::size_t most = kinks <= 8 ? 16 : 4;
    for (std::size_t i = 0; i < std::min(most, costs.size()); ++i) result.push_back(candidates[costs[i].second]);
    return result;
}

void ReluLine::search_kinks(std::size_t kinks) {
    const bool few = kinks <= static_cast<std::size_t>(effort_.all_orientations);
    const bool before = kinks < static_cast<std::size_t>(effort_.known);
    const int random = before ? 0 : few ? effort_.random_starts : kinks <= 8 ? effort_.random_starts / 2 : kinks <= 16 ? 6 : 2;
    const std::vector<std::vector<double>> all = starts(kinks, random);
    search({std::vector<bool>(kinks), true}, all);
    if (skip_) return;
    for (const std::vector<bool>& left : orientations(kinks)) {
        std::vector<std::vector<double>> chosen = all;
        for (const SignatureSearch& other : searches_)
            if (other.signature.linear && other.signature.jumps.empty() && other.signature.kinks() == kinks)
                for (std::size_t i = 0; i < std::min<std::size_t>(3, other.minima.size()); ++i)
                    chosen.insert(chosen.begin(), other.minima[i].fit.kinks);
        if (!few) chosen.resize(std::min<std::size_t>(chosen.size(), kinks <= 8 ? 8 : 4));
        search({left, false}, chosen);
    }
}

/// Functions that jump where the target does, at the price of two neurons a jump; kinks beyond few with all right, all left or linear.
void ReluLine::search_jumps(std::size_t neurons) {
    constexpr std::size_t most_jumps = 6;
    const std::size_t available = std::min(integral_.jumps().size(), most_jumps);
    for (std::uint64_t chosen = 1; chosen < std::uint64_t{1} << available; ++chosen) {
        std::vector<double> places;
        for (std::size_t i = 0; i < available; ++i)
            if (chosen >> i & 1) places.push_back(integral_.jumps()[i]);
        if (2 * places.size() > neurons) continue;
        const std::size_t kinks = neurons - 2 * places.size();
        const std::vector<std::vector<double>> all = starts(kinks, std::min(effort_.random_starts, 16));
        const auto with_jumps = [&](std::uint64_t orientations) {
            std::vector<Jump> jumps;
            for (std::size_t i = 0; i < places.size(); ++i) jumps.push_back({places[i], (orientations >> i & 1) != 0});
            return jumps;
        };
        search({std::vector<bool>(kinks), true, with_jumps(0)}, all);
        if (skip_) continue;
        for (std::uint64_t orientations = 0; orientations < std::uint64_t{1} << places.size(); ++orientations) {
            const std::uint64_t masks = kinks <= 2 ? std::uint64_t{1} << kinks : 2;
            for (std::uint64_t mask = 0; mask < masks; ++mask)
                search({bits(kinks <= 2 ? mask : mask * ~std::uint64_t{0}, kinks), false, with_jumps(orientations)}, all);
        }
    }
}

std::vector<LocalMinimum> ReluLine::minima(int width, bool limits) const {
    std::vector<LocalMinimum> minima;
    for (const SignatureSearch& search : searches_)
        if (neurons(search.signature) <= static_cast<std::size_t>(width) && (limits || search.signature.jumps.empty()))
            minima.insert(minima.end(), search.minima.begin(), search.minima.end());
    // Of equal risks the one with the fewest neurons represents the level.
    std::stable_sort(minima.begin(), minima.end(), [](const LocalMinimum& a, const LocalMinimum& b) { return a.fit.risk < b.fit.risk; });
    std::vector<LocalMinimum> levels;
    for (LocalMinimum& minimum : minima) {
        if (levels.empty() || !one_level(risk_, levels.back().fit.risk, minimum.fit.risk))
            levels.push_back(std::move(minimum));
        else if (minimum.fit.signature.neurons() < levels.back().fit.signature.neurons())
            levels.back() = std::move(minimum);
    }
    return levels;
}

std::vector<LineLevel> ReluLine::levels(int width) const {
    std::vector<LineLevel> levels;
    for (const LocalMinimum& minimum : minima(width, false))
        levels.push_back({in_own_units(minimum.fit, integral_.units()), risk_.hessian(minimum.fit), minimum.fit.gradient, minimum.fit.risk,
                          risk_.rounding(minimum.fit.risk)});
    return levels;
}

bool ReluLine::same_risk(double a, double b) const { return one_level(risk_, a / risk_unit(), b / risk_unit()); }

LineOptimum ReluLine::best(int width) const {
    const std::vector<LocalMinimum> found = minima(width, true);
    const LocalMinimum& least = found.front();
    LineOptimum optimum{
        in_own_units(least.fit, integral_.units()), least.gradient, least.curvature, 0, least.reached, least.spread, 0, 0, true};
    for (const SignatureSearch& search : searches_)
        if (search.signature == least.fit.signature) optimum.starts = search.starts;
    if (found.size() > 1) optimum.next = found[1].fit.risk * risk_unit();
    optimum.attained = least.fit.signature.jumps.empty();
    // A network of width 0 is constant, with a skip connection affine; the pieces of the partition need not be constant.
    const double bound = width == 0 ? least.fit.risk : partitions_[static_cast<std::size_t>(width)].lower_bound;
    optimum.lower_bound = bound * risk_unit();
    return optimum;
}

}  // namespace limrisk::optimum
