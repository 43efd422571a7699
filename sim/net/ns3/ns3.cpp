/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ns-3 as a carrier, for two hosts: a channel is one TCP connection, opened by
 * its source, and answers are bytes on it; those that TCP has taken cannot be
 * taken back. Between the hosts is one link with the path's smallest capacity,
 * each way, and its latency. Buffers and queue come from the bandwidth-delay
 * product at the start, as ns-3's defaults make a fast long path many times
 * slower than it is. A dead link drops packets: TCP finds out by its timers
 * when it is back. A cap is the rate at which bytes are handed to TCP. A host
 * that goes down stays up in ns-3: its connections get nothing more to send,
 * and what they still deliver is not looked at.
 */
#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"
#include "ns3/traffic-control-helper.h"

#include <algorithm>
#include <memory>
#include <vector>

extern "C" {
#include "net/channels.h"
}

using namespace ns3;

namespace {

constexpr uint32_t kSegment = 1448;    /* Ethernet with time stamps */
constexpr uint64_t kWide = 1250000000; /* B/s of an unlimited link */
constexpr double kWindow = 256 << 10;  /* smallest buffer, bytes */
constexpr double kMaxWindow = 1 << 30; /* what TCP can scale to */
constexpr uint16_t kPort = 80, kFirstPort = 1024;

/* Kept until the end: callbacks of a closed connection may still come. */
struct Connection {
  net *owner = nullptr;
  net_channel ch = 0;
  Ptr<Socket> out = nullptr;
  xl_rate cap = 0;
  xl_bytes pending = 0; /* not handed to TCP yet */
  xl_bytes allowed = 0; /* by the cap, until the next tick */
  EventId tick = {};
  bool mute = false;
};

struct Sim {
  net *owner = nullptr;
  const tree *links = nullptr;
  net_node hosts[2] = {NET_NO_NODE, NET_NO_NODE};
  NodeContainer nodes;
  NetDeviceContainer devices;
  Ipv4InterfaceContainer addresses;
  Ptr<RateErrorModel> drops[2];                 /* of what host i receives */
  std::vector<std::unique_ptr<Connection>> all; /* by source port */
  std::vector<Connection *> channels;           /* by number */
};

Sim *sim_of(void *sim) {
  return static_cast<Sim *>(sim);
}

Connection *connection(void *sim, net_channel ch) {
  return sim_of(sim)->channels[ch];
}

Ptr<Socket> tcp(const Sim *s, uint32_t host, Ipv4Address a, uint16_t port) {
  auto socket =
      Socket::CreateSocket(s->nodes.Get(host), TcpSocketFactory::GetTypeId());
  socket->Bind(InetSocketAddress(a, port));
  return socket;
}

/* ---- sending ---- */

/* Hands TCP what it takes and the cap allows. */
void feed(Connection *c) {
  while (c->pending > 0 && c->out->GetTxAvailable() > 0) {
    xl_bytes n = std::min<xl_bytes>(c->pending, c->out->GetTxAvailable());
    n = std::min<xl_bytes>(n, 16 * kSegment);
    if (c->cap != XL_RATE_UNLIMITED) {
      n = std::min(n, c->allowed);
    }
    int sent = n == 0 ? 0 : c->out->Send(Create<Packet>(n));
    if (sent <= 0) {
      return;
    }
    c->pending -= (xl_bytes)sent;
    c->allowed -= std::min<xl_bytes>(c->allowed, (xl_bytes)sent);
  }
}

/* A capped connection may hand over one segment a tick. */
void go(Connection *c) {
  c->allowed = c->cap > 0 ? kSegment : 0;
  feed(c);
  if (c->cap != XL_RATE_UNLIMITED && c->cap > 0 && c->pending > 0) {
    Time wait = NanoSeconds(xl_rate_span(c->cap, kSegment));
    c->tick = Simulator::Schedule(wait, &go, c);
  }
}

void on_room(Connection *c, Ptr<Socket>, uint32_t) {
  feed(c); /* a capped one has nothing allowed between its ticks */
}

/* ---- receiving ---- */

void on_data(Connection *c, Ptr<Socket> in) {
  xl_time at = Simulator::Now().GetNanoSeconds();

  for (auto p = in->Recv(); p && p->GetSize() > 0; p = in->Recv()) {
    if (!c->mute && channels_arrived(c->owner, at, c->ch, p->GetSize())) {
      Simulator::Stop(); /* after this event */
    }
  }
}

/* The source's port says which connection it is. */
void on_accept(Sim *s, Ptr<Socket> in, const Address &from) {
  size_t i = InetSocketAddress::ConvertFrom(from).GetPort() - kFirstPort;

  in->SetRecvCallback(MakeBoundCallback(&on_data, s->all[i].get()));
}

/* ---- the link ---- */

/* Of the path from host |from| to the other; 0 when a link is dead. */
xl_rate path_rate(const Sim *s, uint32_t from) {
  xl_rate rate = kWide;

  for (tree_step k = {NET_NO_NODE, true};
       tree_next(s->links, s->hosts[from], s->hosts[1 - from], &k);) {
    rate = std::min(rate, tree_rate(s->links, k));
  }
  return rate;
}

void set_rates(void *sim, net_node) {
  Sim *s = sim_of(sim);
  for (uint32_t i = 0; i < 2; i++) {
    xl_rate rate = path_rate(s, i);
    s->drops[1 - i]->SetRate(rate == 0 ? 1 : 0);
    if (rate > 0) {
      DynamicCast<PointToPointNetDevice>(s->devices.Get(i))
          ->SetDataRate(DataRate(rate * 8));
    }
  }
}

void set_defaults(const Sim *s, xl_span latency) {
  double rate = (double)std::max(path_rate(s, 0), path_rate(s, 1));
  double product = rate * 2e-9 * (double)latency;
  auto window = (uint32_t)std::clamp(2 * product, kWindow, kMaxWindow);
  QueueSize queue(PACKETS, 2 * window / kSegment + 100);

  Config::SetDefault("ns3::TcpSocket::SegmentSize", UintegerValue(kSegment));
  Config::SetDefault("ns3::TcpSocket::SndBufSize", UintegerValue(window));
  Config::SetDefault("ns3::TcpSocket::RcvBufSize", UintegerValue(window));
  Config::SetDefault("ns3::DropTailQueue<Packet>::MaxSize",
                     QueueSizeValue(queue));
}

void build(Sim *s) {
  xl_span latency = tree_latency(s->links, s->hosts[0], s->hosts[1]);
  PointToPointHelper wire;

  set_defaults(s, latency);
  wire.SetChannelAttribute("Delay", TimeValue(NanoSeconds(latency)));
  s->nodes.Create(2);
  s->devices = wire.Install(s->nodes);
  InternetStackHelper().Install(s->nodes);
  s->addresses =
      Ipv4AddressHelper("10.0.0.0", "255.255.255.0").Assign(s->devices);
  TrafficControlHelper().Uninstall(s->devices); /* the queue is enough */
  for (uint32_t i = 0; i < 2; i++) {
    s->drops[i] = CreateObject<RateErrorModel>();
    s->drops[i]->SetUnit(RateErrorModel::ERROR_UNIT_PACKET);
    s->devices.Get(i)->SetAttribute("ReceiveErrorModel",
                                    PointerValue(s->drops[i]));
    auto port = tcp(s, i, Ipv4Address::GetAny(), kPort);
    port->Listen();
    port->SetAcceptCallback(
        MakeNullCallback<bool, Ptr<Socket>, const Address &>(),
        MakeBoundCallback(&on_accept, s));
  }
  set_rates(s, 0);
}

/* ---- the carrier ---- */

void carrier_del(void *sim) {
  Simulator::Destroy();
  delete sim_of(sim);
}

void carrier_open(void *sim, net_channel ch, net_node src, net_node,
                  xl_rate cap, double) {
  Sim *s = sim_of(sim);
  uint32_t from = src == s->hosts[0] ? 0 : 1;
  size_t port = kFirstPort + s->all.size();

  assert(port <= UINT16_MAX);
  s->all.push_back(std::make_unique<Connection>());
  Connection *c = s->all.back().get();
  *c = {s->owner, ch,
        tcp(s, from, s->addresses.GetAddress(from), (uint16_t)port), cap};
  c->out->SetSendCallback(MakeBoundCallback(&on_room, c));
  c->out->Connect(InetSocketAddress(s->addresses.GetAddress(1 - from), kPort));
  s->channels.resize(std::max<size_t>(s->channels.size(), ch + 1));
  s->channels[ch] = c;
}

xl_bytes carrier_stop(void *sim, net_channel ch) {
  Connection *c = connection(sim, ch);
  c->mute = true;
  c->pending = 0;
  c->tick.Cancel();
  return 0;
}

void carrier_close(void *sim, net_channel ch) {
  carrier_stop(sim, ch);
  connection(sim, ch)->out->Close();
}

void carrier_cap(void *sim, net_channel ch, xl_rate cap) {
  Connection *c = connection(sim, ch);
  c->cap = cap;
  c->tick.Cancel();
  go(c);
}

void carrier_start(void *sim, net_channel ch, xl_bytes bytes) {
  Connection *c = connection(sim, ch);
  c->pending += bytes;
  if (!c->tick.IsRunning()) {
    go(c);
  }
}

xl_bytes carrier_cut(void *sim, net_channel ch, xl_bytes bytes,
                     xl_bytes behind) {
  Connection *c = connection(sim, ch);
  xl_bytes n = c->pending > behind ? std::min(c->pending - behind, bytes) : 0;
  c->pending -= n;
  return n;
}

xl_time carrier_advance(void *, xl_time until, fail *) {
  void (*stop)() = &Simulator::Stop;
  EventId end = Simulator::Schedule(NanoSeconds(until) - Now(), stop);

  Simulator::Run();
  end.Cancel();
  return Simulator::Now().GetNanoSeconds();
}

const carrier ns3_carrier = {
    true, /* a stream */
    carrier_del,   carrier_open,    carrier_close, carrier_cap,
    carrier_start, carrier_stop,    nullptr,       carrier_cut,
    set_rates,     carrier_advance, nullptr};

/* ---- opening ---- */

net *ns3_open(const net_topology *t, const xl_value *, const net_sink *sink,
              fail *why) {
  auto s = new Sim;
  uint32_t nhosts = 0;

  for (net_node i = 0; i < t->nnodes; i++) {
    if (t->nodes[i].host) {
      s->hosts[nhosts++ % 2] = i;
    }
  }
  if (nhosts != 2) {
    fail_set(why, EXIT_USAGE,
             "network ns3 takes exactly 2 hosts, the topology has %u", nhosts);
    delete s;
    return nullptr;
  }
  s->owner = channels_new(t, sink, &ns3_carrier, 1, s, why);
  if (s->owner != nullptr) {
    s->links = channels_tree(s->owner);
    build(s);
  }
  return s->owner;
}

} // namespace

extern "C" const net_ops *net_entry(void) {
  static const net_ops ops = net_ops_of_channels(
      "ns3", "ns-3.37, packets and TCP; two hosts",
      NET_CAP_RATE_CAP | NET_CAP_LINK_CHANGE | NET_CAP_EXACT_PROGRESS, nullptr,
      0, ns3_open);
  return &ops;
}
