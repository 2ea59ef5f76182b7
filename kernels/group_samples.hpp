// The samples of a group of replicas, chunk by chunk in processing order: drawn from Philox, or read from a table of nodes.
// docs/numerics.md sections 2, 3, 7.
#pragma once
#include "arena.hpp"
#include "group.hpp"
#include "law.hpp"
#include "picks.hpp"
#include "target.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Some samples in processing order; every lane of a register has those of its replica.
template <class Real>
struct Chunk {
    const Vec<Real>*inputs, *targets, *weights;  ///< [count][dimension], [count], [count]
    const std::uint8_t* owners;                  ///< [count] lane of the tile that adds up this sample's error and risk
    const int* parts;                            ///< numbers of samples that lie in one block, one after the other
    int count;
    bool nonnegative;  ///< no input has a sign

    /// Some samples of the chunk.
    Chunk part(int first, int number, std::int64_t dimension) const {
        return {inputs + first * dimension, targets + first, weights + first, owners + first, parts, number, nonnegative};
    }
};

/// Data points of a group: every lane of a register has those of its replica.
template <class Real>
struct LanePoints {
    const Vec<Real>*inputs, *targets;  ///< [count][dimension], [count]
    const Vec<Real>* weights;          ///< [count]; null: all are the same
};

/// Trial numbers of the lanes of a register of words, split into words.
struct LaneTrials {
    VecWord low, high;
};

///   trial_of  [replicas]
template <class Real>
LaneTrials lane_trials(const std::int64_t* trial_of, int replicas) {
    LaneTrials trials;
    for (int i = 0; i < LIMRISK_VECTOR_BYTES / 4; ++i) {
        const auto trial = static_cast<std::uint64_t>(trial_of[i % register_lanes<Real> % replicas]);
        trials.low[i] = static_cast<std::uint32_t>(trial);
        trials.high[i] = static_cast<std::uint32_t>(trial >> 32);
    }
    return trials;
}

/// The samples of one batch: superblocks of the tile's lanes times the samples that share their Philox calls, some at once in a chunk.
template <class Real>
class GroupSamples {
public:
    using V = Vec<Real>;
    static constexpr std::int64_t most_loaded_bytes = 1 << 19;  ///< of nodes that are put in place once

    /// Lays out the memory.
    ///   count  samples of the batch;   nodes  null: fresh samples;   picks  which of the nodes: all of them, or `count` drawn ones
    /// Where every trial has its own points, nodes say their number alone, and `use` what they are.
    GroupSamples(Arena& arena, const Cell& cell, const GroupShape& shape, std::int64_t count, const NodeTable<Real>* nodes,
                 Picks picks = Picks::None)
        : cell_(cell), shape_(shape), nodes_(nodes), picks_(picks), count_(count), rounds_(samples_per_lane(cell.dimension)) {
        constexpr std::int64_t wanted = 64, most_registers = 2048;
        superblock_ = static_cast<std::int64_t>(rounds_) * shape.tile;
        superblocks_ = wanted / superblock_;
        while (superblocks_ > 1 && superblocks_ * superblock_ * cell.dimension > most_registers) superblocks_ /= 2;
        const std::int64_t needed = (count + superblock_ - 1) / superblock_;
        if (superblocks_ > needed) superblocks_ = needed;
        if (superblocks_ < 1) superblocks_ = 1;
        const std::int64_t room = superblocks_ * superblock_, whole = (count + room - 1) / room * room;
        own_ = nodes && cell.own_points > 0;
        loaded_ = nodes && !own_ && picks == Picks::None &&
                  whole * (cell.dimension + 2) * static_cast<std::int64_t>(sizeof(V)) <= most_loaded_bytes;
        const std::int64_t places = loaded_ ? whole : room;
        inputs_ = arena.take<V>((places + 1) * cell.dimension);
        targets_ = arena.take<V>(places);
        weights_ = arena.take<V>(places);
        owners_ = arena.take<std::uint8_t>(room);
        last_owners_ = arena.take<std::uint8_t>(room);
        places_ = arena.take<std::int16_t>(place_count());
        last_places_ = arena.take<std::int16_t>(place_count());
        if (nodes) return;
        // Units of one register and one superblock; a register of words serves one or two of them.
        const std::int64_t units = superblocks_ * shape.registers + registers_per_word<Real> - 1;
        drawn_ = arena.take<V>(units * rounds_ * cell.dimension);
        stack_ = arena.take<V>(max_program_depth * (units * rounds_ > room ? units * rounds_ : room));
        if (shape.together == 1) targets_ = stack_;  // as run_target leaves them
        calls_of_lanes_ = arena.take<VecWord>(word_registers());
        if (cell.noise.kind != LawKind::Zero || cell.shape == InputShape::Ball) {
            beside_ = arena.take<V>(shape.together == 1 ? room + 1 : units * rounds_);
            groups_of_lanes_ = arena.take<VecWord>(word_registers());
        }
        round_keys_ = arena.take<VecWord>(20);
    }

    /// Fills the tables that stay as they are; to be called once there is memory.
    ///   trial_of  [replicas]; null: the samples are all nodes
    void prepare(const std::int64_t* trial_of) {
        const std::int64_t room = superblocks_ * superblock_, rest = count_ % room;
        fill_tables(owners_, places_, room);
        fill_tables(last_owners_, last_places_, rest);
        cut(parts_, owners_, room);
        cut(last_parts_, last_owners_, rest);
        const V weight = splat<V>(1.0 / static_cast<double>(count_));
        if (trial_of) trials_ = lane_trials<Real>(trial_of, shape_.replicas);
        if (nodes_) {
            nonnegative_ = !own_;
            for (std::int64_t i = 0; nonnegative_ && i < nodes_->count * cell_.dimension; ++i) nonnegative_ = bits(nodes_->inputs[i]) >= 0;
            for (std::int64_t i = 0; (own_ || picks_ != Picks::None) && i < room; ++i) weights_[i] = weight;
            epoch_ = -1;
            for (std::int64_t base = 0; loaded_ && base < count_; base += room)
                read(base, count_ - base < room ? count_ - base : room, base);
            return;
        }
        nonnegative_ = cell_.bounded;
        for (std::int64_t k = 0; k < cell_.dimension; ++k)
            nonnegative_ = nonnegative_ && bits(cell_.coordinates ? cell_.coordinates[k].low : cell_.input.low) >= 0;
        for (std::int64_t i = 0; i < room; ++i) weights_[i] = weight;
        for (int i = 0; i < 20; ++i) round_keys_[i] = VecWord{} + RoundKeys{cell_.seed}(i / 2, i % 2);
        const auto calls = static_cast<std::uint32_t>(calls_per_group(cell_.dimension));
        for (int r = 0; r < word_registers(); ++r)
            for (int i = 0; i < LIMRISK_VECTOR_BYTES / 4; ++i) {
                const int unit = r * registers_per_word<Real> + i / register_lanes<Real>;
                const int lane = unit % shape_.registers * shape_.together + i % register_lanes<Real> / shape_.replicas;
                const auto group = static_cast<std::uint32_t>(unit / shape_.registers * shape_.tile + lane);
                calls_of_lanes_[r][i] = group * calls;
                if (beside_) groups_of_lanes_[r][i] = group;
            }
    }

    /// Takes other points, for nodes that trials draw for themselves. After prepare().
    ///   weight  of each, unless they have their own
    void use(const LanePoints<Real>& points, double weight) {
        points_ = points;
        for (std::int64_t i = 0; i < most_in_chunk(); ++i) weights_[i] = splat<V>(weight);
    }

    /// Draws the samples of a step, in no order that matters: put(m, inputs, target) takes the inputs [dimension] and target of sample m.
    template <class Put>
    void draw_all(std::int64_t step, const Put& put) {
        for (std::int64_t base = 0; base < count_; base += most_in_chunk()) {
            const Chunk<Real> chunk = load(base, step);
            in_order(chunk.count, [&](std::int64_t place, std::int64_t m, int) {
                put(base + m, chunk.inputs + place * cell_.dimension, chunk.targets[place]);
            });
        }
    }

    std::int64_t count() const { return count_; }
    int most_in_chunk() const { return static_cast<int>(superblocks_ * superblock_); }

    /// The chunk from sample `base` on, a multiple of most_in_chunk().
    ///   step  number of the step, for fresh samples
    Chunk<Real> load(std::int64_t base, std::int64_t step) {
        const std::int64_t left = count_ - base, room = most_in_chunk();
        const int count = static_cast<int>(left < room ? left : room);
        if (!nodes_)
            draw(base, count, step);
        else if (picks_ != Picks::None)
            pick(base, count, step);
        else if (!loaded_)
            read(base, count, 0);
        const std::int64_t first = loaded_ ? base : 0;
        return {inputs_ + first * cell_.dimension,
                targets_ + first,
                weights_ + first,
                count < room ? last_owners_ : owners_,
                count < room ? last_parts_ : parts_,
                count,
                nonnegative_};
    }

private:
    /// Samples of a chunk, and of a unit more: a register of words may serve one that is not there.
    std::int64_t place_count() const { return superblocks_ * superblock_ + static_cast<std::int64_t>(rounds_) * shape_.together; }
    int word_registers() const { return (shape_.registers + registers_per_word<Real> - 1) / registers_per_word<Real>; }

    /// Calls body(place, m, lane) for the samples m = 0 .. count - 1 of a chunk in processing order, with the lane of the tile that owns m.
    template <class Body>
    void in_order(std::int64_t count, Body body) const {
        std::int64_t place = 0;
        for (std::int64_t base = 0; base < count; base += superblock_)
            for (int t = 0; t < rounds_; ++t)
                for (int j = 0; j < shape_.tile && base + rounds_ * j + t < count; ++j) body(place++, base + rounds_ * j + t, j);
    }

    void fill_tables(std::uint8_t* owners, std::int16_t* places, std::int64_t count) const {
        for (std::int64_t m = 0; m < place_count(); ++m) places[m] = static_cast<std::int16_t>(most_in_chunk());
        in_order(count, [&](std::int64_t place, std::int64_t m, int lane) {
            owners[place] = static_cast<std::uint8_t>(lane);
            places[m] = static_cast<std::int16_t>(place);
        });
    }

    /// Cuts a chunk between its blocks.
    ///   owners  [count]
    void cut(int* parts, const std::uint8_t* owners, std::int64_t count) const {
        parts[0] = 0;
        for (std::int64_t place = 0, round; place < count; place += round) {
            for (round = 1; place + round < count && owners[place + round] != 0;) ++round;
            if (sizeof(Real) == 4 && cell_.several_blocks && *parts + round > block_samples) *++parts = 0;
            *parts += static_cast<int>(round);
        }
    }

    /// Puts nodes base .. base + count - 1 in processing order, from place `first` on.
    void read(std::int64_t base, std::int64_t count, std::int64_t first) {
        const std::int64_t d = cell_.dimension;
        in_order(count, [&](std::int64_t at, std::int64_t m, int) {
            const std::int64_t place = first + at;
            if (own_) {
                for (std::int64_t k = 0; k < d; ++k) inputs_[place * d + k] = points_.inputs[(base + m) * d + k];
                targets_[place] = points_.targets[base + m];
                if (points_.weights) weights_[place] = points_.weights[base + m];
                return;
            }
            for (std::int64_t k = 0; k < d; ++k) inputs_[place * d + k] = nodes_->inputs[(base + m) * d + k] - V{};
            targets_[place] = nodes_->targets[base + m] - V{};
            weights_[place] = nodes_->weights[base + m] - V{};
        });
    }

    /// Puts the nodes that samples base .. base + count - 1 of a step pick in processing order.
    void pick(std::int64_t base, int count, std::int64_t step) {
        const RoundKeys keys{cell_.seed};
        const auto nodes = static_cast<std::uint32_t>(nodes_->count);
        const std::int16_t* places = count < most_in_chunk() ? last_places_ : places_;
        VecWord words[4];
        std::int64_t call = -1;
        for (int i = 0; i < count; ++i) {
            const std::int64_t m = base + i;
            VecWord picked;
            if (picks_ == Picks::Epochs) {
                const std::int64_t sample = (step - 1) * count_ + m, epoch = sample / nodes;
                if (epoch != epoch_) order_ = EpochOrder(keys, trials_.low, trials_.high, epoch, nodes);
                epoch_ = epoch;
                picked = order_.at(static_cast<std::uint32_t>(sample - epoch * nodes));
            } else {
                if (m / 4 != call) pick_words(keys, trials_.low, trials_.high, step, call = m / 4, words);
                picked = words[m % 4];
                if (cell_.pick_thresholds == nullptr)
                    picked = multiply_high(picked, nodes);
                else
                    for (int r = 0; r < shape_.replicas; ++r)
                        picked[r] = static_cast<std::uint32_t>(picked_by_weight(cell_.pick_thresholds, nodes_->count, picked[r]));
            }
            put(places[i], picked);
        }
    }

    /// Sample number `place` of each replica is the node that it picked.
    void put(int place, const VecWord& picked) {
        const std::int64_t d = cell_.dimension;
        for (int lane = 0; lane < register_lanes<Real>; ++lane) {
            const std::int64_t node = picked[lane % shape_.replicas];
            for (std::int64_t k = 0; k < d; ++k)
                lane_of(inputs_[place * d + k], lane) = own_ ? points_.inputs[node * d + k][lane] : nodes_->inputs[node * d + k];
            lane_of(targets_[place], lane) = own_ ? points_.targets[node][lane] : nodes_->targets[node];
        }
    }

    /// Uniform variates of all samples of a chunk, the same number for each.
    ///   calls            of a group of samples that share them;   calls_of_lanes  first call of each lane within a superblock
    ///   put(number, k)   where variate k goes; number: of the unit and round
    template <class Put>
    LIMRISK_INLINE void draw_uniform(Purpose purpose, std::int64_t per_sample, int calls, const VecWord* calls_of_lanes, int units,
                                     std::int64_t base, std::int64_t step, const Put& put) const {
        constexpr int per_word = registers_per_word<Real>;
        const std::int64_t values = rounds_ * per_sample;
        const auto calls_of_superblock = static_cast<std::uint32_t>(shape_.tile * calls);
        const auto position = static_cast<std::uint64_t>(step);
        std::uint32_t call_of_superblock =
            purpose_word(purpose, position) + static_cast<std::uint32_t>(base / rounds_) * static_cast<std::uint32_t>(calls);
        for (int unit = 0, p = 0; unit < units; unit += per_word) {
            for (int call = 0; call < calls; ++call) {
                VecWord words[4] = {VecWord{} + static_cast<std::uint32_t>(position),
                                    calls_of_lanes[p / per_word] + (call_of_superblock + static_cast<std::uint32_t>(call)), trials_.low,
                                    trials_.high};
                philox_rounds(words, [&](int round, int word) { return round_keys_[2 * round + word]; });
                for (int half = 0; half < per_word; ++half)
                    for (int w = 0; w < 4 && 4 * call + w < values; ++w) {
                        const auto value = static_cast<int>(4 * call + w), t = rounds_ == 1 ? 0 : per_sample == 2 ? value / 2 : value;
                        put((unit + half) * rounds_ + t, value - t * per_sample) = uniform_register<Real>(words[w], half);
                    }
            }
            for (p += per_word; p >= shape_.registers; p -= shape_.registers) call_of_superblock += calls_of_superblock;
        }
    }

    void draw(std::int64_t base, int count, std::int64_t step) {
        const std::int64_t d = cell_.dimension, values = rounds_ * d;
        const auto units = static_cast<int>((count + superblock_ - 1) / superblock_) * shape_.registers;
        const std::int16_t* places = count < most_in_chunk() ? last_places_ : places_;
        const bool one_lane = shape_.together == 1;
        V* const raw = one_lane ? inputs_ : drawn_;
        draw_uniform(Purpose::Samples, d, static_cast<int>(calls_per_group(d)), calls_of_lanes_, units, base, step,
                     [&](int number, std::int64_t k)
                         LIMRISK_INLINE_LAMBDA -> V& { return raw[(one_lane ? places[number] : number) * d + k]; });
        const int drawn = one_lane ? count : units * rounds_;
        const auto draw_beside = [&](Purpose purpose) {
            draw_uniform(purpose, 1, 1, groups_of_lanes_, units, base, step,
                         [&](int number, std::int64_t) LIMRISK_INLINE_LAMBDA -> V& { return beside_[one_lane ? places[number] : number]; });
        };
        if (cell_.input.kind == LawKind::Table)
            for (std::int64_t k = 0; k < d; ++k)
                apply_table(input_table<Real>(cell_), cell_.coordinates ? cell_.coordinates[k] : cell_.input, raw + k, drawn, d);
        else if (cell_.coordinates)
            for (std::int64_t k = 0; k < d; ++k) apply_law(cell_.coordinates[k], raw + k, drawn, d);
        else
            apply_law(cell_.input, raw, static_cast<int>(drawn * d));
        if (cell_.shape == InputShape::Ball) draw_beside(Purpose::Radius);
        for (int i = 0; cell_.shape != InputShape::Coordinates && i < drawn; ++i)
            move_to_radius(cell_.shape == InputShape::Ball ? radius_in_ball(beside_[i], cell_.radius, d) : splat<V>(cell_.radius), d,
                           [&](std::int64_t k) -> V& { return raw[i * d + k]; });
        if (cell_.noise.kind != LawKind::Zero) {
            draw_beside(Purpose::Noise);
            apply_law(cell_.noise, beside_, drawn);
        }
        if (cell_.noise_factor.length > 0) {
            run_target(cell_.noise_factor, raw, 1, d, drawn, stack_);
            for (int i = 0; i < drawn; ++i) beside_[i] = beside_[i] * stack_[i];
        }
        run_target(cell_.target, raw, 1, d, drawn, stack_);
        if (cell_.noise.kind != LawKind::Zero)
            for (int i = 0; i < drawn; ++i) stack_[i] = stack_[i] + beside_[i];
        if (one_lane) return;
        for (int unit = 0; unit < units; ++unit)
            for (int t = 0; t < rounds_; ++t)
                for (int j = 0; j < shape_.together; ++j) {
                    const int place = places[rounds_ * (unit * shape_.together + j) + t];
                    if (place == most_in_chunk()) break;
                    for (std::int64_t k = 0; k < d; ++k) inputs_[place * d + k] = spread(drawn_[unit * values + t * d + k], j, shape_);
                    targets_[place] = spread(stack_[unit * rounds_ + t], j, shape_);
                }
    }

    const Cell& cell_;
    GroupShape shape_;
    const NodeTable<Real>* nodes_;
    Picks picks_;
    std::int64_t epoch_ = -1;  ///< of order_; -1: none yet
    EpochOrder order_;
    std::int64_t count_, superblock_, superblocks_;  ///< of the batch; samples of a superblock; superblocks of a chunk
    int rounds_;
    V *inputs_, *targets_, *weights_, *drawn_ = nullptr, *stack_ = nullptr;
    V* beside_ = nullptr;  ///< one variate more of each sample: its noise, or what its radius is made of
    std::uint8_t *owners_, *last_owners_;
    int parts_[4], last_parts_[4];         ///< of a whole chunk, of the last; a chunk has at most 128 samples
    std::int16_t *places_, *last_places_;  ///< in processing order, of each sample of a whole chunk and of the last; or most_in_chunk()
    VecWord* round_keys_ = nullptr;        ///< [10][2] of Philox
    VecWord* calls_of_lanes_ = nullptr;    ///< [word_registers()] first call of each lane within a superblock
    VecWord* groups_of_lanes_ = nullptr;   ///< [word_registers()] the same of one variate more, which has one call for a group of samples
    LaneTrials trials_{};
    LanePoints<Real> points_{};                  ///< of own_
    bool nonnegative_ = false, loaded_ = false;  ///< loaded_: all nodes are in place
    bool own_ = false;                           ///< every replica has its own nodes
};

/// The data points that every replica of a group draws for itself: docs/numerics.md section 14.
template <class Real>
class OwnPoints {
public:
    OwnPoints(Arena& arena, const Cell& cell, const GroupShape& shape, const GroupShape& double_shape)
        : cell_(cell),
          shape_(shape),
          double_shape_(double_shape),
          drawn_(arena, cell, double_shape, cell.resample > 0 ? 0 : cell.own_points, nullptr) {
        if (cell.resample > 0) {
            for (VecDouble** weights : {&weights_double_, &rounded_weights_})
                *weights = arena.take<VecDouble>(registers() * cell.own_points);
            weights_ = arena.take<Vec<Real>>(cell.own_points);
        }
        inputs_double_ = arena.take<VecDouble>(registers() * cell.own_points * cell.dimension);
        targets_double_ = arena.take<VecDouble>(registers() * cell.own_points);
        if constexpr (sizeof(Real) == 8) return;
        inputs_ = arena.take<Vec<Real>>(cell.own_points * cell.dimension);
        targets_ = arena.take<Vec<Real>>(cell.own_points);
    }

    /// Draws the points of the replicas.
    ///   trial_of  [replicas]
    void prepare(const std::int64_t* trial_of) {
        const std::int64_t count = cell_.own_points, d = cell_.dimension;
        if (cell_.resample > 0) resample(trial_of);
        for (int r = 0; cell_.resample == 0 && count > 0 && r < registers(); ++r) {
            VecDouble *const inputs = inputs_double_ + r * count * d, *const targets = targets_double_ + r * count;
            drawn_.prepare(trial_of + r * double_shape_.replicas);
            drawn_.draw_all(0, [&](std::int64_t m, const VecDouble* x, const VecDouble& y) {
                for (std::int64_t k = 0; k < d; ++k) inputs[m * d + k] = rounded(x[k]);
                targets[m] = rounded(y);
            });
        }
        if constexpr (sizeof(Real) == 8) {
            inputs_ = inputs_double_;
            targets_ = targets_double_;
        } else {
            for (std::int64_t i = 0; i < count * d; ++i) inputs_[i] = together(inputs_double_ + i, count * d);
            for (std::int64_t m = 0; m < count; ++m) targets_[m] = together(targets_double_ + m, count);
        }
    }

    LanePoints<Real> points() const { return {inputs_, targets_, weights_}; }
    /// Of the replicas from `first` on that have a register of double.
    ///   rounded  with their weights rounded to Real
    LanePoints<double> points_from(int first, bool rounded) const {
        const std::int64_t r = first / double_shape_.replicas * cell_.own_points;
        const VecDouble* const weights = rounded ? rounded_weights_ : weights_double_;
        return {inputs_double_ + r * cell_.dimension, targets_double_ + r, weights ? weights + r : nullptr};
    }

private:
    /// Of the training nodes each gets the share of the draws that chose it. A node that none chose stands for the first that was chosen,
    /// with the weight 0: so the neurons are judged by chosen ones alone.
    void resample(const std::int64_t* trial_of) {
        const NodeTable<double>& nodes = cell_.training_nodes_double;
        const RoundKeys keys{cell_.seed};
        const LaneTrials trials = lane_trials<Real>(trial_of, shape_.replicas);
        const std::int64_t count = cell_.own_points, d = cell_.dimension;
        const auto weight_of = [&](int replica, std::int64_t m) -> double& {
            return lane_of(weights_double_[replica / double_shape_.replicas * count + m], replica % double_shape_.replicas);
        };
        for (std::int64_t i = 0; i < registers() * count; ++i) weights_double_[i] = VecDouble{};
        VecWord words[4];
        for (std::int64_t m = 0; m < cell_.resample; ++m) {
            if (m % 4 == 0) pick_words(keys, trials.low, trials.high, 0, m / 4, words);
            VecWord picked = words[m % 4];
            if (cell_.pick_thresholds == nullptr) picked = multiply_high(picked, static_cast<std::uint32_t>(count));
            for (int r = 0; r < shape_.replicas; ++r) {
                std::int64_t node = picked[r];
                if (cell_.pick_thresholds) node = picked_by_weight(cell_.pick_thresholds, count, picked[r]);
                weight_of(r, node) += 1;
            }
        }
        const double draws = static_cast<double>(cell_.resample);
        for (int r = 0; r < registers(); ++r)
            for (int lane = 0; lane < register_lanes<double>; ++lane) {
                const int replica = r * double_shape_.replicas + lane % double_shape_.replicas;
                const auto chosen = [&](std::int64_t m) { return weight_of(replica, m) > 0; };
                std::int64_t first = 0;
                while (!chosen(first)) ++first;
                for (std::int64_t m = 0; m < count; ++m) {
                    const std::int64_t at = r * count + m, node = chosen(m) ? m : first;
                    for (std::int64_t k = 0; k < d; ++k) lane_of(inputs_double_[at * d + k], lane) = nodes.inputs[node * d + k];
                    lane_of(targets_double_[at], lane) = nodes.targets[node];
                }
            }
        for (int r = 0; r < registers(); ++r)
            for (std::int64_t m = 0; m < count; ++m) {
                VecDouble& weights = weights_double_[r * count + m];
                for (int lane = double_shape_.replicas; lane < register_lanes<double>; ++lane)
                    lane_of(weights, lane) = lane_of(weights, lane % double_shape_.replicas);
                weights = weights / splat<VecDouble>(draws);
                rounded_weights_[r * count + m] = rounded(weights);
            }
        for (std::int64_t m = 0; m < count; ++m) weights_[m] = together(weights_double_ + m, count);
    }

    int registers() const { return shape_.replicas / double_shape_.replicas; }
    /// To Real and back. Not lane by lane: GCC 12 takes two conversions in a loop for none.
    static VecDouble rounded(VecDouble value) {
        typedef Real Narrow __attribute__((vector_size(register_lanes<double> * sizeof(Real))));
        return __builtin_convertvector(__builtin_convertvector(value, Narrow), VecDouble);
    }
    /// A register of Real from those of double, which are `stride` apart.
    Vec<Real> together(const VecDouble* values, std::int64_t stride) const {
        Vec<Real> all{};
        for (int i = 0; i < register_lanes<Real>; ++i) {
            const int replica = i % shape_.replicas;
            lane_of(all, i) = static_cast<Real>(values[replica / double_shape_.replicas * stride][replica % double_shape_.replicas]);
        }
        return all;
    }

    const Cell& cell_;
    GroupShape shape_, double_shape_;
    GroupSamples<double> drawn_;
    Vec<Real>*inputs_ = nullptr, *targets_ = nullptr;                   ///< [points][dimension], [points]
    VecDouble *inputs_double_, *targets_double_;                        ///< [registers][points][dimension], [registers][points]
    Vec<Real>* weights_ = nullptr;                                      ///< [points]; null: all are the same
    VecDouble *weights_double_ = nullptr, *rounded_weights_ = nullptr;  ///< [registers][points]; as they are, and rounded to Real
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
