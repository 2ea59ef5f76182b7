// Risk and gradient of one batch for a group of replicas: the inner loops of the CPU backend. Algebra and order of every sum:
// docs/numerics.md sections 3 and 4.
#pragma once
#include "group_samples.hpp"
#include "neuron.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// What a pass works with beside parameters and samples.
template <class Real>
struct GroupPass {
    using V = Vec<Real>;
    const Cell* cell;
    GroupShape shape;
    V* outputs;             ///< [registers][samples at once] sums over the slots of each lane
    V* errors;              ///< [samples of a chunk] e = weight loss'(N - y)
    V *risk_of, *error_of;  ///< [tile] sums of each lane over the samples that it owns
    V* skip_of;             ///< [skip rows][tile] sums of each lane of e x_k over the samples that it owns
    V* present;             ///< [registers] 1 in lanes whose last slot holds a neuron, else 0
    std::int64_t most_in_chunk;
    MaskOf<V>* active;  ///< [registers][slots][samples of a chunk] where z > 0, if keeps_masks()
    // Totals of the blocks, null if there is but one: register p of float has the registers 2 p and 2 p + 1 of double.
    RegisterRows<double> totals{};
    VecDouble *risk_totals = nullptr, *error_totals = nullptr;  ///< [2][tile]
    VecDouble* skip_totals = nullptr;                           ///< [skip rows][2][tile]

    void take(Arena& arena, const Cell& the_cell, const GroupShape& the_shape, const GroupSamples<Real>& samples) {
        cell = &the_cell;
        shape = the_shape;
        outputs = arena.take<V>(shape.registers * samples_in_registers);
        most_in_chunk = samples.most_in_chunk();
        errors = arena.take<V>(most_in_chunk);
        risk_of = arena.take<V>(shape.tile);
        error_of = arena.take<V>(shape.tile);
        skip_of = arena.take<V>(shape.skip_rows() * shape.tile);
        present = arena.take<V>(shape.registers);
        active = arena.take<MaskOf<V>>(keeps_masks() ? shape.registers * shape.slots * most_in_chunk : 0);
        if (sizeof(Real) == 8 || !cell->several_blocks) return;
        totals = {arena.take<VecDouble>(2 * shape.registers * shape.rows()), shape.rows()};
        risk_totals = arena.take<VecDouble>(2 * shape.tile);
        error_totals = arena.take<VecDouble>(2 * shape.tile);
        skip_totals = arena.take<VecDouble>(shape.skip_rows() * 2 * shape.tile);
    }
    /// Whether the backward pass takes from the forward pass on which samples a neuron is active, and does not compute z again: where a
    /// mask is less than a register, and z costs more than writing and reading it.
    bool keeps_masks() const { return masks_are_small && cell->activation.kind == ActivationKind::Relu && shape.dimension > 1; }
    static constexpr bool masks_are_small = sizeof(MaskOf<V>) < sizeof(V);

    /// To be called once there is memory.
    void prepare() {
        for (int p = 0; p < shape.registers; ++p)
            for (int i = 0; i < register_lanes<Real>; ++i) {
                const int lane = p * shape.together + i / shape.replicas;
                lane_of(present[p], i) = (shape.slots - 1) * shape.tile + lane < shape.width ? Real(1) : Real(0);
            }
    }
    /// Starts the sums of a batch.
    void start(RegisterRows<Real> gradient) const {
        for (int l = 0; l < shape.tile; ++l) risk_of[l] = error_of[l] = V{};
        for (int l = 0; totals && l < 2 * shape.tile; ++l) risk_totals[l] = error_totals[l] = VecDouble{};
        for (std::int64_t l = 0; l < shape.skip_rows() * shape.tile; ++l) {
            skip_of[l] = V{};
            if (totals) skip_totals[2 * l] = skip_totals[2 * l + 1] = VecDouble{};
        }
        for (int p = 0; gradient && p < shape.registers; ++p)
            for (std::int64_t row = 0; row < shape.outer_bias(); ++row) {
                gradient[row].part[p] = V{};
                if (totals) totals[row].part[2 * p] = totals[row].part[2 * p + 1] = VecDouble{};
            }
    }
    /// Moves the sums of a block to the totals.
    ///   gradient  where the sums of the neurons are, null: in the totals already
    void end_block(RegisterRows<Real> gradient) const {
        const auto move = [](V& sum, VecDouble* total, std::int64_t stride) {
            add_to(total, stride, sum);
            sum = V{};
        };
        for (int l = 0; l < shape.tile; ++l) {
            move(risk_of[l], risk_totals + l, shape.tile);
            move(error_of[l], error_totals + l, shape.tile);
            for (std::int64_t k = 0; k < shape.skip_rows(); ++k)
                move(skip_of[k * shape.tile + l], skip_totals + 2 * k * shape.tile + l, shape.tile);
        }
        for (int p = 0; gradient && p < shape.registers; ++p)
            for (std::int64_t row = 0; row < shape.outer_bias(); ++row)
                move(gradient[row].part[p], &totals[row].part[2 * p], totals.stride);
    }
    /// Errors of `count` samples of a chunk from `first` on, and their shares of the sums: of any loss, with a skip connection or without.
    /// Not for squares without one, which the forward pass writes out itself.
    __attribute__((noinline)) void add_residuals(RegisterRows<Real> theta, const Chunk<Real>& chunk, int first, int count) const {
        const std::int64_t skips = shape.skip_rows(), outer_bias = shape.outer_bias();
        with_loss(cell->loss.kind, [&](auto tag) {
            for (int s = 0; s < count; ++s) {
                const V* x = chunk.inputs + (first + s) * shape.dimension;
                V line = theta[outer_bias].part[0];
                for (std::int64_t k = 0; k < skips; ++k) line = fma(theta[outer_bias + 1 + k].part[0], x[k], line);
                const Residual<decltype(tag)::kind, V> r(cell->loss, line, outputs[s], chunk.targets[first + s], chunk.weights[first + s]);
                const int owner = chunk.owners[first + s];
                errors[first + s] = r.error;
                risk_of[owner] = fma(r.weighted, r.factor, risk_of[owner]);
                error_of[owner] = error_of[owner] + r.error;
                for (std::int64_t k = 0; k < skips; ++k) {
                    V& sum = skip_of[k * shape.tile + owner];
                    sum = fma(r.error, x[k], sum);
                }
            }
        });
    }
    /// Puts du_k, which is sum(k) in every lane, where the gradient is.
    template <class Sum>
    void put_skip_gradient(RegisterRows<Real> gradient, Sum sum) const {
        for (std::int64_t k = 0; k < shape.skip_rows(); ++k) {
            const V of_all = sum(k);
            for (int p = 0; p < shape.registers; ++p) gradient[shape.outer_bias() + 1 + k].part[p] = of_all;
        }
    }
    /// Adds the sum of a block to its total, whose halves lie `stride` apart.
    static LIMRISK_INLINE void add_to(VecDouble* total, std::int64_t stride, V sum) {
        total[0] = total[0] + register_to_double(sum, 0);
        total[stride] = total[stride] + register_to_double(sum, 1);
    }
};

/// Risk of a batch, in every lane that of its replica; and the gradient unless `gradient` is null.
///   theta, gradient  rows of the group;   step  number of the step, for fresh samples
template <class Real>
Vec<Real> batch_risk(const GroupPass<Real>& pass, GroupSamples<Real>& samples, std::int64_t step, RegisterRows<Real> theta,
                     RegisterRows<Real> gradient);

/// The loops for one activation; D is the input dimension, 0 for one known at run time only.
template <class Real, ActivationKind Kind, int D>
class GroupLoops {
public:
    using V = Vec<Real>;
    using Rows = RegisterRows<Real>;

    explicit GroupLoops(const GroupPass<Real>& pass) : pass_(pass), activation_(pass.cell->activation) {}

    /// Outputs, errors, risk; and the masks for backward(), if `gradient` is wanted.
    void forward(Rows theta, const Chunk<Real>& chunk, bool gradient) const {
        const auto all = [&](auto masks) {
            int first = 0;
            for (; first + at_once <= chunk.count; first += at_once) forward_of<at_once, masks.value>(theta, chunk, first);
            for (; first < chunk.count; ++first) forward_of<1, masks.value>(theta, chunk, first);
        };
        if constexpr (keeps_masks) {
            if (gradient) {
                all(AtOnce<1>{});
                return;
            }
        }
        all(AtOnce<0>{});
    }

    /// Whether backward() takes each chunk for a block and adds its sums to the totals, if there are any.
    static constexpr bool ends_blocks = D > 0 && sizeof(Real) == 4;

    /// Adds the chunk to the sums T_k, T0, U of every slot, which lie where the gradient will.
    void backward(Rows theta, const Chunk<Real>& chunk, Rows sums) const {
        for (int p = 0; p < pass_.shape.registers; ++p) {
            const std::int64_t slots = pass_.shape.slots_in(p);
            const V* slot = &theta[0].part[p];
            V* sum = &sums[0].part[p];
            VecDouble* const total = ends_blocks && pass_.totals ? &pass_.totals[0].part[2 * p] : nullptr;
            std::int64_t q = 0;
            const auto some = [&](auto neurons, auto nonnegative) {
                for (; q + neurons.value <= slots; q += neurons.value)
                    backward_of<neurons.value, nonnegative.value>(slot + q * per_slot(), chunk, sum + q * per_slot(),
                                                                  total ? total + q * per_slot() : nullptr, masks_of(p, q));
            };
            const auto all = [&](auto nonnegative) {
                if constexpr (D > 0) some(AtOnce<neurons_at_once>{}, nonnegative);
                some(AtOnce<1>{}, nonnegative);
            };
            if constexpr (D > 1 && Kind == ActivationKind::Relu && !keeps_masks) {
                if (chunk.nonnegative) {
                    all(AtOnce<1>{});
                    continue;
                }
            }
            all(AtOnce<0>{});
        }
    }

    /// The same from the totals of the blocks, which are lost.
    void finish_totals(Rows theta, Rows gradient, V outer_bias) const {
        for (int p = 0; p < pass_.shape.registers; ++p) {
            const std::int64_t slots = pass_.shape.slots_in(p);
            for (std::int64_t q = 0; q < slots; ++q) {
                const V* w = &theta[q * per_slot()].part[p];
                VecDouble* halves[2];
                for (int half = 0; half < 2; ++half) {
                    VecDouble* sums = halves[half] = &pass_.totals[q * per_slot()].part[2 * p + half];
                    neuron_gradient<Kind, VecDouble>(
                        dimension(), [&](std::int64_t k) { return register_to_double(w[k], half); },
                        [&](std::int64_t k) { return sums[k]; }, [&](std::int64_t k, VecDouble value) { sums[k] = value; });
                }
                const auto present = q + 1 < pass_.shape.slots ? equal(V{}, V{}) : negate(equal(pass_.present[p], V{}));
                for (std::int64_t k = 0; k < per_slot(); ++k)
                    gradient[q * per_slot() + k].part[p] = select(present, register_from_double<Real>(halves[0][k], halves[1][k]), V{});
            }
            gradient[pass_.shape.outer_bias()].part[p] = outer_bias;
        }
    }

    /// Turns the sums into the gradient.
    ///   outer_bias  dc, in every lane that of its replica
    void finish(Rows theta, Rows gradient, V outer_bias) const {
        for (int p = 0; p < pass_.shape.registers; ++p) {
            const std::int64_t slots = pass_.shape.slots_in(p);
            for (std::int64_t q = 0; q < slots; ++q) {
                const V* w = &theta[q * per_slot()].part[p];
                V* sums = &gradient[q * per_slot()].part[p];
                const bool all_present = q + 1 < pass_.shape.slots;
                const auto present = negate(equal(pass_.present[p], V{}));
                neuron_gradient<Kind, V>(
                    dimension(), [&](std::int64_t k) { return w[k]; }, [&](std::int64_t k) { return sums[k]; },
                    [&](std::int64_t k, V value) { sums[k] = all_present ? value : select(present, value, V{}); });
            }
            gradient[pass_.shape.outer_bias()].part[p] = outer_bias;
        }
    }

private:
    // Enough independent sums to fill the pipelines; inputs and weights may be operands in memory, sums may not.
    static constexpr int at_once = samples_at_once<Kind>;
    static constexpr int neurons_at_once = D == 1 || LIMRISK_VECTOR_BYTES == 64 ? 4 : 2;

    static constexpr bool keeps_masks = GroupPass<Real>::masks_are_small && Kind == ActivationKind::Relu && D != 1;

    std::int64_t dimension() const { return D ? D : pass_.shape.dimension; }
    std::int64_t per_slot() const { return dimension() + 2; }

    /// The masks of slot q of register p, null if there are none.
    MaskOf<V>* masks_of(int p, std::int64_t q) const {
        return keeps_masks ? pass_.active + (p * pass_.shape.slots + q) * pass_.most_in_chunk : nullptr;
    }

    /// The same address, unknown to the compiler: it reads operands in memory instead of keeping copies of more inputs than there are
    /// registers for.
    static LIMRISK_INLINE const V* read_anew(const V* inputs) {
        asm("" : "+r"(inputs));
        return inputs;
    }

    template <int S, int Masks>
    LIMRISK_INLINE void forward_of(Rows theta, const Chunk<Real>& chunk, int first) const {
        const GroupShape& shape = pass_.shape;
        const std::int64_t d = dimension();
        const V* inputs = chunk.inputs + first * d;
        for (int p = 0; p < shape.registers; ++p) {
            const std::int64_t slots = shape.slots_in(p);
            const V* slot = &theta[0].part[p];
            [[maybe_unused]] MaskOf<V>* active = Masks ? masks_of(p, 0) + first : nullptr;
            V sum[S];
            LIMRISK_UNROLL(8)
            for (int s = 0; s < S; ++s) sum[s] = V{};
            for (std::int64_t q = 0; q < slots; ++q, slot += per_slot()) {
                const V* x = D > 1 ? read_anew(inputs) : inputs;
                V z[S];
                preactivations<D>(
                    d, [&](std::int64_t k) LIMRISK_INLINE_LAMBDA { return slot[k]; },
                    [&](int s, std::int64_t k) LIMRISK_INLINE_LAMBDA { return x[s * d + k]; }, z);
                if constexpr (Masks) {
                    LIMRISK_UNROLL(8)
                    for (int s = 0; s < S; ++s) store_mask(active[s], greater(z[s], V{}));
                    active += pass_.most_in_chunk;
                }
                add_outputs(activation_, slot[d + 1], z, sum);
            }
            LIMRISK_UNROLL(8)
            for (int s = 0; s < S; ++s) pass_.outputs[p * S + s] = slots < shape.slots ? sum[s] + V{} : sum[s];
        }
        sum_over_tiles<S>(shape);
        const V outer_bias = theta[shape.outer_bias()].part[0];
        const V *outputs = pass_.outputs, *targets = chunk.targets + first, *weights = chunk.weights + first;
        const std::uint8_t* owners = chunk.owners + first;
        V *errors = pass_.errors + first, *risks_of = pass_.risk_of, *errors_of = pass_.error_of;
        if (pass_.cell->loss.kind != LossKind::Squared || shape.skip) {
            pass_.add_residuals(theta, chunk, first, S);
            return;
        }
        LIMRISK_UNROLL(8)
        for (int s = 0; s < S; ++s) {
            const Residual<LossKind::Squared, V> r({}, outer_bias, outputs[s], targets[s], weights[s]);
            const int owner = owners[s];
            errors[s] = r.error;
            risks_of[owner] = fma(r.weighted, r.factor, risks_of[owner]);
            errors_of[owner] = errors_of[owner] + r.error;
        }
    }

    /// sum_over_tile of the outputs of S samples, [registers][S]; the sums are left in the first S.
    template <int S>
    LIMRISK_INLINE void sum_over_tiles(const GroupShape& shape) const {
        V* const outputs = pass_.outputs;
        for (int half = shape.registers / 2; half > 0; half /= 2)
            for (int i = 0; i < half * S; ++i) outputs[i] = outputs[i] + outputs[half * S + i];
        if (shape.together > 1)
            for (int s = 0; s < S; ++s) outputs[s] = sum_within(outputs[s], shape);
    }

    /// Adds all samples of a chunk to the sums of N neurons in a row.
    ///   Nonnegative  1 where no input of the chunk has a sign, else 0;   totals  null, or where the sums are added instead
    ///   active       masks of the first neuron, if forward() kept them
    template <int N, int Nonnegative>
    LIMRISK_INLINE void backward_of(const V* slots, const Chunk<Real>& chunk, V* sums, VecDouble* totals,
                                    [[maybe_unused]] const MaskOf<V>* active) const {
        if constexpr (D == 0) {
            backward_in_memory(slots, chunk, sums, active);
        } else {
            constexpr int rows = D + 2;
            V weights[N][rows], sum[N][rows];
            LIMRISK_UNROLL(4)
            for (int n = 0; n < N; ++n) {
                LIMRISK_UNROLL(8)
                for (int k = 0; k < rows; ++k) {
                    weights[n][k] = slots[n * rows + k];
                    sum[n][k] = totals ? V{} : sums[n * rows + k];
                }
            }
            [[maybe_unused]] const std::int64_t masks = pass_.most_in_chunk;
            [[maybe_unused]] const V* inputs = chunk.inputs;
            for (int i = 0; i < chunk.count; ++i) {
                const V e[1] = {pass_.errors[i]};
                const V* x = keeps_masks ? inputs : chunk.inputs + i * D;
                const auto input = [&](int, std::int64_t k) LIMRISK_INLINE_LAMBDA { return x[k]; };
                LIMRISK_UNROLL(4)
                for (int n = 0; n < N; ++n) {
                    if constexpr (keeps_masks) {
                        add_where<D, false>(load_mask(active[n * masks]), e[0], read_anew(x), sum[n][D], sum[n]);
                    } else {
                        V z[1];
                        preactivations<D>(
                            D, [&](std::int64_t k) LIMRISK_INLINE_LAMBDA { return weights[n][k]; }, input, z);
                        if constexpr (Kind == ActivationKind::Relu)
                            add_where<D, Nonnegative>(greater(z[0], V{}), e[0], x, sum[n][D], sum[n]);
                        else
                            add_samples<Kind, D>(D, activation_, e, z, input,
                                                 [&](std::int64_t k) LIMRISK_INLINE_LAMBDA -> V& { return sum[n][k]; });
                    }
                }
                if constexpr (keeps_masks) inputs += D, ++active;
            }
            if constexpr (ends_blocks) {
                if (totals) {
                    LIMRISK_UNROLL(4)
                    for (int n = 0; n < N; ++n) {
                        LIMRISK_UNROLL(8)
                        for (int k = 0; k < rows - (Kind == ActivationKind::Relu); ++k)
                            pass_.add_to(totals + n * rows + k, pass_.totals.stride, sum[n][k]);
                    }
                    return;
                }
            }
            LIMRISK_UNROLL(4)
            for (int n = 0; n < N; ++n) {
                LIMRISK_UNROLL(8)
                for (int k = 0; k < rows; ++k) sums[n * rows + k] = sum[n][k];
            }
        }
    }

    /// The same for one neuron whose sums do not fit into registers: a few samples at once.
    LIMRISK_INLINE void backward_in_memory(const V* slot, const Chunk<Real>& chunk, V* sums, const MaskOf<V>* active) const {
        int first = 0;
        for (; first + at_once <= chunk.count; first += at_once) backward_samples<at_once>(slot, chunk, first, sums, active);
        for (; first < chunk.count; ++first) backward_samples<1>(slot, chunk, first, sums, active);
    }

    template <int S>
    LIMRISK_INLINE void backward_samples(const V* slot, const Chunk<Real>& chunk, int first, V* sums,
                                         [[maybe_unused]] const MaskOf<V>* active) const {
        const std::int64_t d = dimension();
        const V* inputs = chunk.inputs + first * d;
        const auto input = [&](int s, std::int64_t k) LIMRISK_INLINE_LAMBDA { return inputs[s * d + k]; };
        const auto sum = [&](std::int64_t k) LIMRISK_INLINE_LAMBDA -> V& { return sums[k]; };
        V e[S];
        for (int s = 0; s < S; ++s) e[s] = pass_.errors[first + s];
        if constexpr (keeps_masks) {
            MaskOf<V> active_on[S];
            for (int s = 0; s < S; ++s) active_on[s] = load_mask(active[first + s]);
            add_active_samples<D>(d, e, active_on, input, sum);
        } else {
            V z[S];
            preactivations<D>(
                d, [&](std::int64_t k) LIMRISK_INLINE_LAMBDA { return slot[k]; }, input, z);
            add_samples<Kind, D>(d, activation_, e, z, input, sum);
        }
    }

    const GroupPass<Real>& pass_;
    const ActivationOn<Kind, V> activation_;
};

template <class Real, ActivationKind Kind, int D>
Vec<Real> batch_risk_of(const GroupPass<Real>& pass, GroupSamples<Real>& samples, std::int64_t step, RegisterRows<Real> theta,
                        RegisterRows<Real> gradient) {
    const GroupShape& shape = pass.shape;
    const GroupLoops<Real, Kind, D> loops(pass);
    pass.start(gradient);
    const RegisterRows<Real> sums = loops.ends_blocks ? RegisterRows<Real>{} : gradient;
    int in_block = 0;
    for (std::int64_t base = 0; base < samples.count(); base += samples.most_in_chunk()) {
        const Chunk<Real> chunk = samples.load(base, step);
        const int* number = chunk.parts;
        for (int first = 0; first < chunk.count; first += *number++) {
            if constexpr (sizeof(Real) == 4) {
                if (pass.totals && in_block + *number > block_samples) {
                    pass.end_block(sums);
                    in_block = 0;
                }
                in_block += *number;
            }
            const Chunk<Real> part = chunk.part(first, *number, shape.dimension);
            loops.forward(theta, part, static_cast<bool>(gradient));
            if (gradient) loops.backward(theta, part, gradient);
        }
    }
    // Each lane of the tile has its own register here, whatever the shape.
    GroupShape lanes = shape;
    lanes.together = 1;
    lanes.registers = shape.tile;
    using V = Vec<Real>;
    const auto sum_of = [&](V* of_lanes) { return sum_over_tile(of_lanes, lanes); };
    if constexpr (sizeof(Real) == 4) {
        if (pass.totals) {
            pass.end_block(sums);
            const auto sum = [&](VecDouble* totals) {
                const VecDouble first = sum_over_tile(totals, lanes);
                return register_from_double<Real>(first, sum_over_tile(totals + shape.tile, lanes));
            };
            if (gradient) {
                loops.finish_totals(theta, gradient, sum(pass.error_totals));
                pass.put_skip_gradient(gradient, [&](std::int64_t k) { return sum(pass.skip_totals + 2 * k * shape.tile); });
            }
            return sum(pass.risk_totals);
        }
    }
    if (gradient) {
        loops.finish(theta, gradient, sum_of(pass.error_of));
        pass.put_skip_gradient(gradient, [&](std::int64_t k) { return sum_of(pass.skip_of + k * shape.tile); });
    }
    return sum_of(pass.risk_of);
}

#if defined(LIMRISK_DEFINE_BATCH)
template <class Real>
Vec<Real> batch_risk(const GroupPass<Real>& pass, GroupSamples<Real>& samples, std::int64_t step, RegisterRows<Real> theta,
                     RegisterRows<Real> gradient) {
    return with_activation(pass.cell->activation.kind, [&](auto tag) {
        constexpr ActivationKind kind = decltype(tag)::kind;
        const std::int64_t d = pass.shape.dimension;
        if (d == 1) return batch_risk_of<Real, kind, 1>(pass, samples, step, theta, gradient);
        if constexpr (kind == ActivationKind::Relu) {
            if (d == 2) return batch_risk_of<Real, kind, 2>(pass, samples, step, theta, gradient);
            if (d == 3) return batch_risk_of<Real, kind, 3>(pass, samples, step, theta, gradient);
            if (d == 4) return batch_risk_of<Real, kind, 4>(pass, samples, step, theta, gradient);
        }
        return batch_risk_of<Real, kind, 0>(pass, samples, step, theta, gradient);
    });
}
template Vec<LIMRISK_DEFINE_BATCH> batch_risk(const GroupPass<LIMRISK_DEFINE_BATCH>&, GroupSamples<LIMRISK_DEFINE_BATCH>&, std::int64_t,
                                              RegisterRows<LIMRISK_DEFINE_BATCH>, RegisterRows<LIMRISK_DEFINE_BATCH>);
#endif

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
