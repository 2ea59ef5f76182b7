// What an emulated program and the emulator that runs it know of each other. Included by both; the program has no standard library.
#pragma once

namespace limrisk::emulation {

struct Index {
    unsigned x, y, z;
};

/// Where all lanes of a warp (at a barrier: all threads of a block) meet. Numbers that differ for values of other sizes.
enum class Meeting : unsigned {
    ShuffleFrom,  // __shfl_sync
    ShuffleXor,
    ShuffleUp,
    ShuffleDown,
    Vote,  // __ballot_sync, __any_sync, __all_sync
    Reduce,
    WarpBarrier,
    BlockBarrier,
};
inline constexpr int meeting_kinds = 8;

/// What the program calls.
struct Emulator {
    /// Waits until every lane of the warp called it with the same meeting, value_bytes and width. Returns the 32 values that the lanes
    /// brought, good until this lane's next but one meeting.
    const unsigned long long* (*meet)(Meeting meeting, unsigned mask, unsigned value_bytes, int width, unsigned long long value);
};

/// The program's variables on one thread of the host.
struct HostThread {
    Index *thread, *block, *block_size, *grid_size;
    char* dynamic_shared;  ///< [dynamic_shared_bytes]
};
inline constexpr unsigned long dynamic_shared_bytes = 227 * 1024;  // the most that a block gets on compute capability 9.0

/// A kernel's description lies behind the symbol <kernel>_description.
struct KernelDescription {
    unsigned long argument_bytes;
    int threads;  ///< of a block, at most: its launch bound
    void (*run)(const void* arguments);
};

/// The program's one other symbol, "limrisk_emulated_program": takes the emulator, answers with the calling thread's variables.
using EnterProgram = HostThread(const Emulator* emulator);

}  // namespace limrisk::emulation
